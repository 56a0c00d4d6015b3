"""The Basecamp server: workflows, their schedules and their runs behind HTTP."""
