"""What the catalog promises in figures, measured: `make bench`, or `python -m tests.bench --help`.

Each file of `rows/` measures one promise and is named in `rows.ROWS`. Whatever a figure is
compared with is measured in the same run, so that another machine changes both.
Timings are read, never asserted: no test fails because a machine was busy.
"""
