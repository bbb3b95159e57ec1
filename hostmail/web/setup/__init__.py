"""Set-up answers for mail programs, which need no login and depend on the domain alone."""
