import logging
from contextlib import contextmanager
log = logging.getLogger(__name__)

@contextmanager
def unit(session_factory):
    session = session_factory()
    try:
        yield session
        session.commit()
    except Exception:
        log.exception("rolled back")
        session.rollback()
    finally:
        session.close()

def enroll(factory, pupil, course):
    with unit(factory) as session:
        session.add(pupil.enrolment(course))
    return {"enrolled": True, "course": course.id}
