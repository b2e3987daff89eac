"""The console: pages for people, in front of the same operations as the API."""
