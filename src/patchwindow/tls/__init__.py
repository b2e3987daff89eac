"""How a server shows who it is: certificates that are given, or of a small authority of its own."""
