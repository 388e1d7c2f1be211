//! Traces as their runtimes print them, for tests: CPython 3.11, OpenJDK 17, Node 20, Go 1.22,
//! Rust 1.95, .NET 8, Ruby 3.0, PHP 8 and Elixir 1.15; paths and names changed.

pub(super) const PYTHON: &str = r#"Traceback (most recent call last):
  File "/app/shop/cart.py", line 8, in total
    try: prices[item]
         ~~~~~~^^^^^^
KeyError: 'pear'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/shop/views.py", line 10, in checkout
    return total(item)
  File "/app/shop/cart.py", line 10, in total
    raise CartError(f"no {item}") from e
shop.errors.CartError: no pear
  File "fake.py", line 3, in z
second line

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/usr/lib/python3.11/runpy.py", line 16, in run
    b()
  File "/app/main.py", line 13, in <module>
    {}["k"]
    ~~^^^^^
  File "/venv/lib/python3.11/site-packages/lib/x.py", line 1, in get
    raise
ValueError
note from add_note"#;

pub(super) const GROUP: &str = r#"  + Exception Group Traceback (most recent call last):
  |   File "/app/p.py", line 20, in <module>
  |     asyncio.run(main())
  |   File "/usr/lib/python3.11/asyncio/runners.py", line 190, in run
  |     return runner.run(main)
  | ExceptionGroup: unhandled errors in a TaskGroup (3 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/p.py", line 4, in boom
    |     if n: return boom(n-1)
    |   File "/app/p.py", line 4, in boom
    |     if n: return boom(n-1)
    |   [Previous line repeated 3 more times]
    |   File "/app/p.py", line 5, in boom
    |     raise ValueError("bad")
    | ValueError: bad
    | more
    | 
    | During handling of the above exception, another exception occurred:
    | 
    | Traceback (most recent call last):
    |   File "/app/p.py", line 13, in b
    |     {}["k"]
    | KeyError: 'k'
    +---------------- 2 ----------------
    | Exception Group Traceback (most recent call last):
    |   File "/app/p.py", line 23, in g
    |     raise
    | ExceptionGroup: inner (2 sub-exceptions)
    +-+---------------- 1 ----------------
      | TypeError: 1
      +---------------- 2 ----------------
      | TypeError: 2
      +------------------------------------
    | 
    | During handling of the above exception, another exception occurred:
    | 
    | Traceback (most recent call last):
    |   File "/app/p.py", line 24, in h
    |     raise OSError
    | OSError
    +---------------- ... ----------------
    | and 5 more exceptions
    +------------------------------------

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/p.py", line 30, in <module>
    raise SystemExit(1)
SystemExit: 1
"#;

pub(super) const JAVA: &str =
    "Exception in thread \"pool-1-thread-7\" java.lang.RuntimeException: wrapped
\tat com.shop.Cart.lambda$total$0(Cart.java:9)
\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
\tat com.shop.Main.main(Main.java:3)
Caused by: java.lang.Exception
\t... 8 more
Caused by: java.lang.IllegalStateException: bad 0
second line: x
\tat com.shop.A.f(A.java:4)
\tat com.shop.A.f(A.java:4)
\tat com.shop.A.f(A.java:5)
\tat app//com.shop.A$$Lambda$14/0x0000000800c03000.run(Unknown Source) ~[na:na]
\t... 7 more
\tSuppressed: java.lang.RuntimeException: close
\t\tat com.shop.Res.close(A.java:5) [classes!/:1.0]
\t\t... 9 more
\tCaused by: java.io.IOException: disk
\t\tat org.postgresql.Driver.x(Driver.java:5) ~[postgresql-42.jar:42]
Caused by: java.lang.Error: root
\tat lib.Thing.run(Thing.java:1) ~[thing-1.0.jar:1.0]
";

pub(super) const NODE: &str = "file:///app/n.mjs:2
async function inner(x){ await null; throw new PaymentError('no money '+x) }
                                           ^

PaymentError: no money 3
and a second line
    at inner (file:///app/n.mjs:2:44)
    at async outer (file:///app/n.mjs:3:25)
    at async Promise.all (index 0)
    at async ModuleLoader.import (node:internal/modules/esm/loader:606:24)
    at async file:///app/n.mjs:11:1 {
  code: 'E1',
  [cause]: TypeError: root
      at Object.m [as x] (/app/node_modules/lib/index.js:2:84)
      at new Foo (/app/foo.js:3:25) {
    [cause]: Error [ERR_X]: deep
        at deep (/app/deep.js:1:1)
  }
}

Node.js v20.20.2
";

pub(super) const AGGREGATE: &str = "[AggregateError: All promises were rejected] {
  [errors]: [
    PaymentError: no money 3
        at inner (file:///app/n.mjs:2:44)
        at async Promise.any (index 0) {
      code: 'E1',
      [cause]: TypeError: root
          at inner (file:///app/n.mjs:2:84)
    },
    PaymentError: no money 4
        at inner (file:///app/n.mjs:2:44)
        at async Promise.any (index 1) {
      code: 'E1',
      [cause]: TypeError: root
          at inner (file:///app/n.mjs:2:84)
    },
    RangeError: other
        at f (file:///app/n.mjs:9:1)
  ]
}
";

pub(super) const GO: &str = "panic: first [recovered]
\tpanic: runtime error: index out of range [5] with length 3
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48]

goroutine 18 [running]:
panic({0x1, 0x2})
\t/usr/local/go/src/runtime/panic.go:884 +0x212
main.(*Cart).total.func1(0x1, {0xc000, 0x2})
\t/app/main.go:12 +0x1d
github.com/x/y.Do(...)
\t/home/u/go/pkg/mod/github.com/x/y@v1.2.3/y.go:4
main.main()
\t/app/main.go:5 +0x1d
created by net/http.(*Server).Serve in goroutine 1
\t/usr/local/go/src/net/http/server.go:3 +0x4

goroutine 1 [select]:
main.other()
\t/app/other.go:1 +0x1
exit status 2
";

pub(super) const PKG_ERRORS: &str = "no such row
main.load
\t/app/store.go:12
main.main
\t/app/main.go:20
runtime.main
\t/usr/local/go/src/runtime/proc.go:250
loading cart
main.main
\t/app/main.go:21
serving
";

pub(super) const RUST: &str = "thread 'w1' (28542) panicked at src/store.rs:1:76:
index out of bounds: the len is 0 but the index is 0
stack backtrace:
   0: __rustc::rust_begin_unwind
             at /rustc/59807616/library/std/src/panicking.rs:689:5
   1: core::panicking::panic_fmt
   2: <alloc::vec::Vec<T,A> as core::ops::index::Index<I>>::index
             at /rustc/59807616/library/alloc/src/vec/mod.rs:3804:9
   3:     0x55d0c8a1 - shop::store::load::h0123456789abcdef
             at ./src/store.rs:1:76
   4: shop::store::load::{{closure}}
             at ./src/store.rs:1:114
   5: shop::store::load
             at ./src/store.rs:1:125
   6: shop::store::load::{{closure}}
             at ./src/store.rs:1:114
   7: shop::store::load
             at ./src/store.rs:1:125
   8: shop::main
   9: main
  10: __libc_start_main
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
";

pub(super) const ANYHOW: &str = "Error: failed to start

Caused by:
    0: could not open file
       that one
    1: No such file

Stack backtrace:
   0: anyhow::error::<impl anyhow::Error>::msg
             at /home/u/.cargo/registry/src/x/anyhow-1.0.104/src/error.rs:1:1
   1: shop::start
             at /app/src/main.rs:4:5
";

pub(super) const DOTNET: &str = "      System.InvalidOperationException: outer
       ---> System.ArgumentException: inner
       ---> Shop.CartException (0x80004005): root
         at Shop.Cart.Total(String item, Int32 n) in /src/Cart.cs:line 3
         --- End of inner exception stack trace ---
         at System.Linq.Enumerable.First[T](IEnumerable`1 source)
         --- End of inner exception stack trace ---
         at Shop.Views.<Checkout>d__5.MoveNext() in /src/Views.cs:line 9
--- End of stack trace from previous location ---
         at Shop.Main()";

pub(super) const RUBY: &str = "app.rb:3:in `total': no pears (KeyError)
\tfrom /usr/lib/ruby/gems/3.0.0/gems/rack/x.rb:4:in `call'
\tfrom app.rb:7:in `<main>'
app.rb:1:in `fetch': gone (RuntimeError)
\tfrom app.rb:3:in `total'
";

pub(super) const PHP: &str = "PHP Fatal error:  Uncaught KeyError: no pears in /app/cart.php:3
Stack trace:
#0 /app/vendor/x/y.php(7): total('pear')
#1 /app/index.php(9): X->call()
#2 {main}

Next CartError: cart in /app/index.php:11
Stack trace:
#0 {main}
  thrown in /app/index.php on line 11
";

pub(super) const ELIXIR: &str = "** (KeyError) key :pear not found
in: %{}
    (shop 0.1.0) lib/shop/cart.ex:5: Shop.Cart.total/1
    (elixir 1.15.0) lib/enum.ex:1693: Enum.\"-map/2-lists^map/1-1-\"/2
    (phoenix 1.7.0) lib/phoenix/router.ex:432: Phoenix.Router.__call__/5
    lib/shop/web.ex:9: Shop.Web.show/2
Last message: :go
";

pub(super) const SAMPLES: [&str; 13] =
    [PYTHON, GROUP, JAVA, NODE, AGGREGATE, GO, PKG_ERRORS, RUST, ANYHOW, DOTNET, RUBY, PHP, ELIXIR];

/// The part of [`JAVA`] that tells what was suppressed.
pub(super) const SUPPRESSED: &str = "\tSuppressed: java.lang.RuntimeException: close
\t\tat com.shop.Res.close(A.java:5) [classes!/:1.0]
\t\t... 9 more
\tCaused by: java.io.IOException: disk
\t\tat org.postgresql.Driver.x(Driver.java:5) ~[postgresql-42.jar:42]
";
