"""Measures panels of gates: what they catch together, what they refuse wrongly, and what each look costs.

Cases come in families, each with a defect and its clean twin; every label is proved by an executable oracle. Gates
judge cases through a squad, as they judge any work, and their verdicts are receipts. Every figure is counted from those
receipts. Nothing here may let an abstention look like an approval, nor a label be seen by a gate.
"""
