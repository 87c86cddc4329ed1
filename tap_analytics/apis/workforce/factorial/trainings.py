"""Further streams of Factorial: trainings."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class Trainings(FactorialStream):
    """Trainings, whose costs and participants are computed."""

    name = "workforce_trainings"
    path = "/trainings/trainings"
    references = {"author_employee_id": "workforce_employees.id"}


class TrainingClasses(FactorialStream):
    """Groups of participants of a training."""

    name = "workforce_training_classes"
    path = "/trainings/training_classes"
    references = {
        "training_id": "workforce_trainings.id",
    }


class TrainingsSessions(FactorialStream):
    """Sessions of trainings."""

    name = "workforce_trainings_sessions"
    path = "/trainings/sessions"
    references = {
        "parent_id": "workforce_trainings_sessions.id",
        "training_class_id": "workforce_training_classes.id",
        "training_id": "workforce_trainings.id",
    }


class SessionAttendances(FactorialStream):
    """Who was at which session."""

    name = "workforce_session_attendances"
    path = "/trainings/session_attendances"
    references = {
        "access_id": "workforce_employees.access_id",
        "employee_id": "workforce_employees.id",
    }


STREAMS = (
    Trainings,
    TrainingClasses,
    TrainingsSessions,
    SessionAttendances,
)
