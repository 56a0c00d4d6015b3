"""Runs datasets on an Airflow 3 that Basecamp drives over its REST API v2."""
