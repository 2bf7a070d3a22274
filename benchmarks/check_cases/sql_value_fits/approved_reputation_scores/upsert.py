"""Write one holder's score."""

import math

HALF_LIFE_DAYS = 30.0
LN2 = math.log(2)


def upsert_score(cursor, holder_id, score_kind, score):
    decay_rate = round(LN2 / HALF_LIFE_DAYS, 4)
    cursor.execute(
        """
        INSERT INTO reputation_scores (holder_id, score_kind, score, decay_factor)
        VALUES (%s, %s, %s, %s)
        ON CONFLICT (holder_id, score_kind) DO UPDATE SET score = excluded.score, decay_factor = excluded.decay_factor
        """,
        (holder_id, score_kind, score, decay_rate),
    )
