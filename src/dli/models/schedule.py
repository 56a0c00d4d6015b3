"""When a dataset runs by itself, how often it is tried, and who is told."""

from pydantic import BaseModel, Field

__all__ = ["NotificationConfig", "NotificationTarget", "RetryConfig", "ScheduleConfig"]


class RetryConfig(BaseModel):
    """Attempts of one run; `max_attempts` counts all of them, so 1 means no retry."""

    max_attempts: int = Field(default=1, ge=1)
    delay_seconds: int = Field(default=300, ge=0)


class NotificationTarget(BaseModel):
    """One place to send a message to."""

    type: str
    channel: str


class NotificationConfig(BaseModel):
    """Who is told about what."""

    on_failure: list[NotificationTarget] = Field(default_factory=list)
    on_success: list[NotificationTarget] = Field(default_factory=list)
    on_source_change: list[NotificationTarget] = Field(default_factory=list)


class ScheduleConfig(BaseModel):
    """The `schedule` block of a dataset.

    `cron` has five fields and is read in the IANA zone `timezone`; both are checked by
    `dli.specs.schedule`. With `catchup` every interval missed while the server was down runs late,
    without it only the latest.
    """

    enabled: bool = True
    cron: str
    timezone: str = "UTC"
    retry: RetryConfig = Field(default_factory=RetryConfig)
    notifications: NotificationConfig = Field(default_factory=NotificationConfig)
    catchup: bool = False
