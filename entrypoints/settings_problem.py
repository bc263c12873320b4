"""What is said where settings cannot be used."""


class SettingsProblem(Exception):
    """The settings cannot be used. `problems` names each setting, what is wrong, and what to set; no value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(["The settings are not usable:", *(f"  - {problem}" for problem in problems)]))
