"""The part that runs inside Apache Airflow: one DAG per spec of the store, run by the warehouse."""
