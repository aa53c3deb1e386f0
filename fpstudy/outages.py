"""Machines and processes that a run needs and does not have.

Apart from what raises them, as the command line names them before anything heavy is imported.
"""


class ClusterError(RuntimeError):
    """A cluster cannot be reached, or has workers that would measure something else."""


class WorkersLostError(RuntimeError):
    """Processes ended again and again where no formula was at work; the message says how."""
