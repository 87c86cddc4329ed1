"""Further streams of Factorial: recruiting."""

from __future__ import annotations

from tap_analytics.apis.workforce.factorial.client import FactorialStream


class AtsApplications(FactorialStream):
    """Applications of candidates for jobs."""

    name = "workforce_ats_applications"
    path = "/ats/applications"
    left_out = ("cv.url",)
    references = {
        "ats_application_phase_id": "workforce_application_phases.id",
        "ats_candidate_id": "workforce_ats_candidates.id",
        "ats_job_posting_id": "workforce_job_postings.id",
        "ats_rejection_reason_id": "workforce_rejection_reasons.id",
        "employee_id": "workforce_employees.id",
        "source_id": "workforce_candidate_sources.id",
    }


class AtsCandidates(FactorialStream):
    """Candidates.

    Score and job postings change without their time, so they are read in full.
    """

    name = "workforce_ats_candidates"
    path = "/ats/candidates"
    references = {
        "source_id": "workforce_candidate_sources.id",
    }


class JobPostings(FactorialStream):
    """Jobs that are or were open."""

    name = "workforce_job_postings"
    path = "/ats/job_postings"
    references = {
        "legal_entity_id": "workforce_legal_entities.id",
        "location_id": "workforce_locations.id",
        "team_id": "workforce_teams.id",
    }


class ApplicationPhases(FactorialStream):
    """Phases that the applications for a job go through."""

    name = "workforce_application_phases"
    path = "/ats/application_phases"
    references = {
        "ats_hiring_stage_id": "workforce_hiring_stages.id",
        "ats_job_posting_id": "workforce_job_postings.id",
    }


class HiringStages(FactorialStream):
    """Stages of hiring, the same for all jobs."""

    name = "workforce_hiring_stages"
    path = "/ats/hiring_stages"


class CandidateSources(FactorialStream):
    """Where candidates come from."""

    name = "workforce_candidate_sources"
    path = "/ats/candidate_sources"


class RejectionReasons(FactorialStream):
    """Why applications are turned down."""

    name = "workforce_rejection_reasons"
    path = "/ats/rejection_reasons"


class AtsFeedbacks(FactorialStream):
    """What interviewers think of candidates."""

    name = "workforce_ats_feedbacks"
    path = "/ats/feedbacks"
    references = {
        "ats_application_id": "workforce_ats_applications.id",
        "ats_application_phase_id": "workforce_application_phases.id",
        "ats_candidate_id": "workforce_ats_candidates.id",
    }


STREAMS = (
    AtsApplications,
    AtsCandidates,
    JobPostings,
    ApplicationPhases,
    HiringStages,
    CandidateSources,
    RejectionReasons,
    AtsFeedbacks,
)
