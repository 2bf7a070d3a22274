"""Who may do what: roles, grants, routines, triggers and policies, and what somebody lacks."""
