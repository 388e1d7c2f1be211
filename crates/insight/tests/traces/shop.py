"""Writes a small application, runs it, and prints labelled traces of it.

    python3 shop.py FOLDER SEED

Every raise site is reached by every path. What must not matter varies with SEED: the folder, blank
lines and comments between lines, messages, depths of recursion, names of threads, how many tasks
failed. On standard output each trace follows a line of `\\x1e`, the site, where it began (another
site, when one error is raised from another), and the path.
"""

import pathlib
import random
import subprocess
import sys

MODULES = {
    "shop/cart.py": '''
import json
from shop.errors import CartError, StockError
from webby.model import checked, field

def plain(m):
    raise ValueError(m)

def two_raises(m):
    if len(m) % 2:
        raise CartError(f"odd: {m}")
    raise CartError("even: %s" % m)

def two_raises_other(m):
    if not m:
        raise CartError("empty")
    if m:
        raise CartError(m)

def by_library(m):
    return json.loads("{" + m)

def by_key(m):
    prices = {}
    return prices[m]

def wrapped(m):
    try:
        return by_key(m)
    except KeyError as error:
        raise CartError(f"no price: {m}") from error

def replaced(m):
    try:
        return int("x" + m)
    except ValueError:
        raise StockError(m)

def in_lambda(m):
    return (lambda: [][len(m)])()

def in_comprehension(m):
    return [int("x" + c) for c in m]

@checked
class Item:
    name: str = field()

    def __post_init__(self):
        raise TypeError(f"bad item {self.name!r}")

    @property
    def price(self):
        return self.nothing

def in_post_init(m):
    return Item(m)

def in_property(m):
    return object.__new__(Item).price
''',
    "shop/stock.py": '''
from shop.errors import StockError
from webby.retry import retried

def plain(m):
    raise ValueError(m)

def divide(m):
    return len(m) / 0

class Shelf:
    def take(self, m):
        raise StockError(m)

    def give(self, m):
        raise StockError(m)

def take(m):
    return Shelf().take(m)

def give(m):
    return Shelf().give(m)

@retried
def decorated(m):
    assert not m, m

def nested(m):
    def inner():
        return None.attribute
    return inner()

def generated(m):
    def rows():
        yield 1
        raise LookupError(m)
    return list(rows())

def hidden(m):
    try:
        divide(m)
    except ZeroDivisionError:
        raise StockError(m) from None

def many_lines(m):
    raise RuntimeError(m + "\\n  File \\"x.py\\", line 3, in nowhere\\n\\n" + m)

def with_note(m):
    error = OSError(m)
    error.add_note("note: " + m)
    raise error

def group(m):
    errors = [KeyError(m), *(ValueError(i) for i in range(1 + len(m) % 4))]
    raise ExceptionGroup("several: " + m, errors)

def twice(m):
    try:
        wrapped_once(m)
    except StockError as error:
        raise RuntimeError("twice") from error

def wrapped_once(m):
    try:
        divide(m)
    except ZeroDivisionError as error:
        raise StockError("once") from error
''',
    "shop/errors.py": '''
class CartError(Exception):
    pass

class StockError(Exception):
    pass
''',
    "shop/paths.py": '''
import asyncio
import concurrent.futures
from shop.errors import CartError
from webby.web import Router

def direct(f, m, n):
    f(m)

def through(f, m, n):
    return service(f, m)

def service(f, m):
    f(m)

def recursive(f, m, n):
    if n > 1:
        return recursive(f, m, n - 1)
    f(m)

def tree(f, m, n):
    if n > 1:
        return branch(f, m, n)
    f(m)

def branch(f, m, n):
    for child in [n]:
        tree(f, m, child - 1)

async def job(f, m):
    await asyncio.sleep(0)
    f(m)

async def gathered(f, m):
    await asyncio.gather(*[asyncio.create_task(job(f, m), name=m)])

def tasks(f, m, n):
    asyncio.run(gathered(f, m))

async def grouped(f, m, n):
    async with asyncio.TaskGroup() as group:
        for _ in range(n):
            group.create_task(job(f, m))

def task_group(f, m, n):
    asyncio.run(grouped(f, m, n))

def thread(f, m, n):
    with concurrent.futures.ThreadPoolExecutor(n, thread_name_prefix=m) as pool:
        pool.submit(f, m).result()

def routed(f, m, n):
    Router({"/" + m: f}).dispatch("/" + m, m)

def chained(f, m, n):
    try:
        f(m)
    except Exception as error:
        raise CartError(f"order {n} failed") from error

def layered(f, m, n):
    if n == 0:
        return f(m)
    try:
        layered(f, m, n - 1)
    except Exception as error:
        raise CartError(f"layer {n}") from error

def clumsy(f, m, n):
    try:
        f(m)
    except Exception:
        {}[m]
''',
    "main.py": '''
import random, sys, traceback
sys.path.append(sys.argv[1])
from shop import cart, paths, stock

def handle(f, path, message, n):
    try:
        path(f, message, n)
    except BaseException:
        return traceback.format_exc()

WAYS = "direct through recursive tree tasks task_group thread routed chained layered clumsy".split()

def functions(module):
    own = [f for f in vars(module).values() if getattr(f, "__module__", "") == module.__name__]
    return [f for f in own if not isinstance(f, type)]

ROOTS = {"wrapped": "by_key", "wrapped_once": "divide", "twice": "divide"}

def main():
    rng = random.Random(sys.argv[2])
    words = "pear plum fig 17 0x1f 'x' a/b é <none> %s".split()
    sites = [f for m in (cart, stock) for f in functions(m)]
    ways = [f for f in functions(paths) if f.__name__ in WAYS]
    jobs = [(f, way) for f in sites for way in ways] * 2
    rng.shuffle(jobs)
    for f, way in jobs:
        message = " ".join(rng.choices(words, k=rng.randint(1, 4)))
        site = f"{f.__module__}.{f.__name__}"
        if f is cart.two_raises and len(message) % 2:
            site += ".odd"
        root = ROOTS.get(f.__name__, site)
        if root != site:
            root = ("shop.cart." if root == "by_key" else "shop.stock.") + root
        text = handle(f, way, message, rng.choice([2, 3, 5, 60]))
        print("\\x1e", site, root, way.__name__)
        print(text, end="")

main()
''',
}

LIBRARY = {
    "webby/model.py": '''
from dataclasses import dataclass, field

def checked(cls):
    return dataclass(cls)
''',
    "webby/retry.py": '''
import functools

def retried(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args)
    return wrapper
''',
    "webby/web.py": '''
class Router:
    def __init__(self, routes):
        self.routes = routes

    def dispatch(self, path, *args):
        return self.call(self.routes[path], args)

    def call(self, f, args):
        return f(*args)
''',
}


def drifted(source, rng):
    """The same source with blank lines and comments between its lines."""
    for line in source.splitlines(keepends=True):
        if rng.random() < 0.3:
            yield rng.choice(["\n", "\n\n\n", "# a comment\n", "        # another, further in\n"])
        yield line


def main():
    folder, seed = sys.argv[1:]
    rng = random.Random(seed)
    root = pathlib.Path(folder) / rng.choice(["app", "home/u/app", f"srv/release-{seed}", "x"])
    library = root.parent / "venv/lib/python3.11/site-packages"
    for base, modules in [(root, MODULES), (library, LIBRARY)]:
        for name, source in modules.items():
            file = base / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(drifted(source, rng)), encoding="utf-8")
    command = [sys.executable, "-B", "main.py", str(library), seed]
    if rng.random() < 0.5:
        command[2] = str(root / "main.py")
    subprocess.run(command, cwd=root, check=True)


main()
