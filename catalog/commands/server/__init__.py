"""Commands that run on the machine of a server, or with the operator's token."""
