"""What somebody probably meant."""

from twisted.trial.unittest import SynchronousTestCase

from hostmail.config.nearest import DOMAIN_CUTOFF, nearest


class NearestTests(SynchronousTestCase):
    def test_one_wrong_letter(self) -> None:
        """A slip in a short name is still seen through, in whatever case, and the name comes back as it is spelled."""
        self.assertEqual(nearest("anm", ["bob", "ann"]), "ann")
        self.assertEqual(nearest("ANM", ["bob", "Ann"]), "Ann")
        self.assertEqual(nearest("relay_windwo", ["relay_window", "limits"]), "relay_window")

    def test_domains(self) -> None:
        """Domains are near each other by more than the end that all of them share."""
        self.assertEqual(nearest("exmaple.test", ["example.test"], DOMAIN_CUTOFF), "example.test")
        self.assertEqual(nearest("nope.test", ["example.test"], DOMAIN_CUTOFF), "")

    def test_nothing_like_it(self) -> None:
        """No guess is better than a wild one."""
        self.assertEqual(nearest("carl", ["bob", "ann"]), "")
        self.assertEqual(nearest("carl", []), "")
        self.assertEqual(nearest("a" * 10_000, ["ann"]), "")
