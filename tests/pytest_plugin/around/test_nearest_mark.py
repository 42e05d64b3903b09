from __future__ import annotations

MARKED = """
    import pytest
    pytestmark = pytest.mark.replay("module")

    @pytest.mark.replay("class")
    class TestIt:
        @pytest.mark.replay("outer")
        @pytest.mark.replay("inner")
        def test_marked(self): ...

        def test_of_the_class(self): ...

    def test_of_the_module(): ...

    @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.replay("parameter"))])
    def test_of_a_parameter(x): ...
"""


LOOKING = """
    import pytest
    from replay_agent.pytest_plugin.around.nearest_mark import closest

    def pytest_collection_modifyitems(items):
        assert [closest(item, "replay") for item in items] == [item.get_closest_marker("replay") for item in items]
        assert len({closest(item, "replay").args for item in items}) == 4
        assert [closest(item, "vcr") for item in items] == [None] * 4
        items[0].add_marker(pytest.mark.vcr("late"))
        assert closest(items[0], "vcr").args == ("late",)
        print("LOOKED AT")
"""


def test_it_is_pytests_own_answer(pytester):
    pytester.makeconftest(LOOKING)
    pytester.makepyfile(test_it=MARKED)
    pytester.runpytest("--collect-only", "-s").stdout.fnmatch_lines(["*LOOKED AT*"])
