def net_force(forces, mass):
    """Return the net force and how the charge of the particle changes it."""
    total = 0.0
    for force in forces:
        total += float(force)
    charge = 1.6e-19
    return total / mass, charge * 0.5
