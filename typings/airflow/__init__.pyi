# What this project uses of Apache Airflow 3, for the type checkers: Airflow itself is the host of
# dli_airflow and never installed beside it.
