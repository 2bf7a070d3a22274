import logging
from contextlib import contextmanager
log = logging.getLogger(__name__)

class Leave(Exception):
    pass

@contextmanager
def unit(session_factory):
    session = session_factory()
    try:
        yield session
        session.commit()
    except Leave:
        session.rollback()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()

def enroll(factory, pupil, course):
    with unit(factory) as session:
        session.add(pupil.enrolment(course))
    return {"enrolled": True, "course": course.id}
