#!/usr/bin/env python3
"""Breaks the ring's protocol, one line at a time, and prints which of its models (ring/models.rs) fail for it.

For the table in docs/proofs.md, to be made again when the protocol or the models change. Works on a copy of the
tree and takes most of an hour; arguments are parts of names, of the mutants to run. A mutant that no model
fails for says `nothing`: then a model is missing, or the line is not needed.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RING = "crates/core/src/ring"
# A model runs for so long at first; all of it only where none of them has failed by then.
SECONDS_AT_FIRST = 5
# A model that a mutant keeps from ending is a model that failed.
SECONDS_MAX = 180

# What is broken, the file, what stands there (once), and what is put in its place.
MUTANTS = [
    ("prepare: no release fence", "write", "\n        fence(Ordering::Release);\n        region.set(at + chunk::FIRST", "\n        region.set(at + chunk::FIRST"),
    ("prepare: Free is not stored", "write", "region.set(at + chunk::STATE, State::new(allocation, Kind::Free, index).0);", ""),
    ("prepare: the last state is stored relaxed", "write", ".store(State::new(allocation, kind, index).0, Ordering::Release)", ".store(State::new(allocation, kind, index).0, Ordering::Relaxed)"),
    ("prepare: the count is not zeroed", "write", "region.set(at + chunk::COUNT, 0);", ""),
    ("prepare: the allocation is not counted", "write", "region.get(header::ALLOCATIONS) + 1;", "region.get(header::ALLOCATIONS);"),
    ("push_slot: no release fence", "write", "                fence(Ordering::Release);\n                let slot", "                let slot"),
    ("store: NEXT relaxed", "write", ".store(ordinal + 1, Ordering::Release)", ".store(ordinal + 1, Ordering::Relaxed)"),
    ("store: NEXT before COUNT", "write", "        region.at(at + chunk::COUNT).store(count + 1", "        region.at(lane_at + lane::NEXT).store(ordinal + 1, Ordering::Release);\n        region.at(at + chunk::COUNT).store(count + 1"),
    ("store: COUNT relaxed", "write", ".store(count + 1, Ordering::Release)", ".store(count + 1, Ordering::Relaxed)"),
    ("store: COUNT and NEXT before the record", "write", "        region.write(data + tail, record);\n", "        region.at(at + chunk::COUNT).store(count + 1, Ordering::Release);\n        region.at(lane_at + lane::NEXT).store(region.get(lane_at + lane::NEXT) + 1, Ordering::Release);\n        region.set(lane_at + lane::NEXT, region.get(lane_at + lane::NEXT) - 1);\n        region.write(data + tail, record);\n"),
    ("lock: taken relaxed", "write", "compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)", "compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed)"),
    ("lock: freed relaxed", "write", "self.0.store(0, Ordering::Release)", "self.0.store(0, Ordering::Relaxed)"),
    ("lock: load and store, not an exchange", "write", "&& word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok())", "&& { word.store(1, Ordering::Relaxed); fence(Ordering::Acquire); true })"),
    ("lock: then_some, not then", "write", ".then(|| Self(word))", ".then_some(Self(word))"),
    ("take_chunk: the allocator is not locked", "write", "let lock = self.region.at(header::ALLOC_LOCK);", "let lock = &AtomicU64::new(0);"),
    ("try_close: the lane is not locked", "write", "let Some(_held) = Held::try_take(self.region.at(lane_at + lane::LOCK)) else {", "let Some(_held) = Some(1) else {"),
    ("try_close: CURRENT is kept", "write", "        self.region.set(lane_at + lane::CURRENT, 0);\n        self.close(target);", "        self.close(target);"),
    ("try_close: a rest is closed like any chunk", "write", "return !state.is(Kind::Rest)", "return true || !state.is(Kind::Rest)"),
    ("take_chunk: CURRENT is kept", "write", "            self.region.set(lane_at + lane::CURRENT, 0);\n        }", "        }"),
    ("look: the state is loaded relaxed", "read", "(at + chunk::STATE).load(Ordering::Acquire)", "(at + chunk::STATE).load(Ordering::Relaxed)"),
    ("look: COUNT is loaded relaxed", "read", "(at + chunk::COUNT).load(Ordering::Acquire)", "(at + chunk::COUNT).load(Ordering::Relaxed)"),
    ("look: the state is not looked at again", "read", "self.unchanged(index, state).then_some(info)", "Some(info)"),
    ("look_once: NEXT is read after the chunks", "read", "        for c in &mut chunks {\n            c.count", "        let end = Position(self.lane_words(lane::NEXT));\n        for c in &mut chunks {\n            c.count"),
    ("look_once: counts are not cut to NEXT", "read", "            c.count = c.count.min(end.lane(c.lane).saturating_sub(c.first));\n", ""),
    ("look_once: floors are read after NEXT", "read", "        let end = Position(self.lane_words(lane::NEXT));\n", "        let end = Position(self.lane_words(lane::NEXT));\n        let cleared = self.floors(&Position(cleared.clone()));\n"),
    ("lane_words: relaxed", "read", "word).load(Ordering::Acquire).min(1 << 57)", "word).load(Ordering::Relaxed).min(1 << 57)"),
    ("unchanged: no acquire fence", "read", "        fence(Ordering::Acquire);\n", ""),
    ("is_intact: always true", "read", "self.ring.unchanged(info.index, info.state)", "true"),
    ("join: a reused rest is read", "read", "if !self.ring.unchanged(index, State(state as u64))", "if false"),
    ("hide_beyond: hides nothing", "read", "if excess == 0 {", "if true {"),
    ("hide_beyond: what it looked into is not checked", "read", "!looked_into || self.is_intact(c))", "!looked_into || true)"),
    ("snapshot: chunks that are gone stay", "read", "chunks.retain(|c| snapshot.is_intact(c));", ""),
    ("clear: up to what is there afterwards", "mod", "for (index, next) in snapshot.end().0.iter().enumerate() {", "for (index, next) in self.snapshot().end().0.iter().enumerate() {"),
    ("clear: not locked", "mod", "let _lock = self.lock_clear();", ""),
]


def models(tree: Path) -> tuple[Path, list[str]]:
    """Builds the models; the program, and the names of the models in it."""
    env = os.environ | {
        "RUSTFLAGS": "--cfg loom",
        "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target")) + "/mutants",
        "CARGO_PROFILE_RELEASE_LTO": "off",
    }
    build = ["cargo", "test", "--locked", "-p", "logrec-core", "--lib", "--release", "--no-run"]
    done = subprocess.run(build, cwd=tree, env=env, capture_output=True, text=True)
    found = re.search(r"Executable .*\((.*)\)", done.stderr)
    if done.returncode or not found:
        raise SystemExit(done.stderr)
    program = Path(found[1])
    listed = subprocess.run([program, "models::", "--list"], capture_output=True, text=True, check=True)
    return program, re.findall(r"^(\S+): test$", listed.stdout, re.M)


def failed(program: Path, names: list[str]) -> list[str]:
    """The models that fail, two at a time."""

    def fails(model: str, seconds: int | None) -> bool:
        env = os.environ | ({"LOOM_MAX_DURATION": str(seconds)} if seconds else {})
        try:
            run = [program, "--exact", model]
            return subprocess.run(run, capture_output=True, timeout=SECONDS_MAX, env=env).returncode != 0
        except subprocess.TimeoutExpired:
            return True

    for seconds in (SECONDS_AT_FIRST, None):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            bad = pool.map(lambda model: fails(model, seconds), names)
            found = [name for name, is_bad in zip(names, bad) if is_bad]
        if found:
            return found
    return []


def main() -> None:
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        kept = shutil.ignore_patterns("target", ".git", ".venv*", "node_modules")
        shutil.copytree(ROOT, tree, dirs_exist_ok=True, ignore=kept)
        for what, name, old, new in MUTANTS:
            if wanted and not any(part in what for part in wanted):
                continue
            path = tree / RING / f"{name}.rs"
            source = path.read_text()
            if source.count(old) != 1:
                raise SystemExit(f"{what}: {name}.rs holds {source.count(old)} times: {old}")
            path.write_text(source.replace(old, new))
            found = failed(*models(tree))
            path.write_text(source)
            by = [model.rpartition("::")[2] for model in found]
            print(f"{what:<50} {', '.join(by) or 'nothing'}", flush=True)


if __name__ == "__main__":
    main()
