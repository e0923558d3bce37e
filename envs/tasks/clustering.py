"""Put students into groups by their wishes (CORGI's held-out task, self-made there as here).

The generator follows the released one: 4 to 10 students, pairs planted as the solution (an odd
student joins the last pair), up to one wish less than there are pairs; wish j is that of pair j's
first student, to be with its partner or without a member of a later pair. Its bug is removed: names
are drawn without replacement, so the planted solution always works.
"""

from __future__ import annotations

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, check_range
from corgi_gym.rewards.clustering import clustering

MIN_STUDENTS, MAX_STUDENTS = 4, 10
_NAMES = """
    Adam Aisha Akira Alan Alice Amara Amir Amy Anita Anna Anton Ariel Arthur Asha Ava Basil Bella
    Ben Bianca Boris Bruno Carla Carlos Cathy Cecil Chloe Clara Colin Cora Dana Daniel Daria David
    Deepa Denis Diana Diego Dora Edgar Elena Elif Elliot Ella Emil Emma Erik Esther Eva Fatima Felix
    Fiona Flora Frank Fred Freya Gavin George Gina Gloria Grace Greta Gustav Hana Hannah Harry
    Hazel Helen Henry Hugo Ian Ida Igor Ines Irene Isaac Ivan Ivy Jack Jacob James Jane Jasmin Jean
    Jenny Joel Jonas Joy Judith Julia Kai Karen Karim Kate Keiko Kevin Kim Klara Kurt Lara Laura
    Leo Lily Linda Lisa Liz Logan Lola Louis Lucas Lucy Luis Luna Mabel Magda Malik Marco Maria Mark
    Martha Mary Matt Maya Megan Mei Mia Miguel Mila Mina Mira Molly Nadia Nancy Naomi Nate Neil Nell
    Nina Noah Nora Oliver Olivia Omar Oscar Otto Owen Pablo Paula Pedro Penny Peter Petra Phil Pia
    Priya Rachel Rafael Ravi Rita Robin Rosa Ruby Ruth Ryan Sam Sandra Sara Sasha Sean Selma Simon
    Sofia Stella Sven Tanya Tara Tariq Theo Thomas Tim Tina Tom Uma Vera Victor Viola Walter Wanda
    Wendy Willy Xavier Yara Yusuf Yvonne Zara Zoe
    """
NAMES = tuple(_NAMES.split())


class Clustering(TaskSource):
    """Students with wishes; at least two groups of at least two.

    Args:
        students: Smallest and largest class, within 4 and 10.
        constraints: Smallest and largest number of wishes, from 0; a class of n students has at
            most ``n // 2 - 1``, and the smallest class must have room for the smallest number.

    Raises:
        ValueError: For other ranges.

    Example:
        >>> task = Clustering(students=(4, 4)).item(seed=0, index=0)
        >>> len(task.witness.splitlines()), len(task.target["wishes"])
        (2, 1)
    """

    family = "clustering"
    summary = "Put students into groups so that all their wishes are met."
    checker = clustering

    def __init__(
        self,
        students: tuple[int, int] = (MIN_STUDENTS, MAX_STUDENTS),
        constraints: tuple[int, int] = (1, 4),
    ) -> None:
        self.students = check_range(students, "students", MIN_STUDENTS, MAX_STUDENTS)
        self.constraints = check_range(constraints, "constraints", 0, MAX_STUDENTS)
        room = self.students[0] // 2 - 1
        if self.constraints[0] > room:
            raise ValueError(
                f"constraints must start within 0 and {room} for {self.students[0]} students, got "
                f"{constraints!r}"
            )

    def generate(self, rng: np.random.Generator) -> Draft:
        """Plant pairs, derive wishes from them, and list the students in another order."""
        size = int(rng.integers(self.students[0], self.students[1] + 1))
        names = [NAMES[i] for i in rng.choice(len(NAMES), size=size, replace=False)]
        groups = [names[i : i + 2] for i in range(0, size - 1, 2)]
        groups[-1] += names[2 * len(groups) :]
        low, high = self.constraints
        number = int(rng.integers(low, min(high, len(groups) - 1) + 1))
        wishes = []
        for j in range(number):
            if rng.random() < 0.5:
                wishes.append([groups[j][0], "with", groups[j][1]])
            else:
                later = [name for group in groups[j + 1 :] for name in group]
                wishes.append([groups[j][0], "without", later[int(rng.integers(len(later)))]])
        students = [names[i] for i in rng.permutation(size)]
        witness = "\n".join(f"Group {i}: {', '.join(g)}" for i, g in enumerate(groups, start=1))
        prompt = _prompt(students, wishes)
        return Draft(prompt, prompt, {"students": students, "wishes": wishes}, witness)

    def near_misses(self, task: Task) -> list[str]:
        """One broken rule each."""
        students, lines = task.target["students"], task.witness.split("\n")
        everyone = ", ".join(students)
        first_name = lines[0].split(": ")[1].split(", ")[0]
        without_first = [lines[0].replace(f"{first_name}, ", ""), *lines[1:]]
        return [
            f"Group 1: {everyone}",
            f"Group 1: {everyone}\nGroup 2: {everyone}",
            "\n".join(f"Group {i}: {name}" for i, name in enumerate(students, start=1)),
            "\n".join(without_first),
            f"{task.witness}, {first_name}",
            f"{task.witness}, Zebulon",
            "\n".join(lines[1:]),
            "\n".join(line.split(": ")[1] for line in lines),
            f"Here are the groups:\n{task.witness}",
            f"{task.witness}\nEverybody is happy now.",
            task.witness.replace("Group 2", "Group 1"),
            task.prompt,
        ]


def _prompt(students: list[str], wishes: list[list[str]]) -> str:
    says = {"with": "wants to be with", "without": "does not want to be with"}
    lines = [f"{student} {says[how]} {other}." for student, how, other in wishes]
    return (
        f"Put these students into groups: {', '.join(students)}.\n"
        "Make at least 2 groups, with at least 2 students each. "
        "Put every student into exactly one group.\n"
        + "".join(f"{line}\n" for line in lines)
        + "Write only the groups, one per line, like this:\n"
        + "Group 1: name, name\nGroup 2: name, name"
    )
