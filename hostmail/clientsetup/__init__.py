"""How mail programs are set up for a domain's mailboxes, and what its DNS has to say: values, and what they are written as. Pure."""
