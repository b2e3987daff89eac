"""iCalendar (RFC 5545), read as freezes and written as a feed of openings. Texts in, values out; no files, no clock."""
