"""One module a page, or a few that belong together: functions of a `View`, each with a template of its name."""
