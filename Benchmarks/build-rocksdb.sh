#!/bin/bash
# Builds RocksDB as a peer for the benchmarks: once, from Debian's source package, optimised and with NDEBUG.
#
# The library that Debian packages has its assertions on, which would flatter every ratio. Everything stays in
# Benchmarks/peers (ignored by git): apt runs on a source list, index and cache of its own, so neither root nor a
# change to the system is needed. Running it again after success does nothing.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/peers"
prefix="$root/rocksdb"
suite="${ROCKSDB_SUITE:-bookworm}"  # 7.8.3
jobs="${JOBS:-$(getconf _NPROCESSORS_ONLN)}"

if [[ -f "$prefix/lib/librocksdb.a" && -f "$prefix/include/rocksdb/c.h" ]]; then
    echo "RocksDB is built: $prefix"
    exit 0
fi
for tool in apt-get dpkg-source make g++; do
    command -v "$tool" >/dev/null || {
        echo "Building the RocksDB peer needs apt-get, dpkg-dev, make and g++ (no $tool here)." >&2
        echo "The benchmarks run without it; their peer and ratio columns stay empty." >&2
        exit 1
    }
done

mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" "$root/source" "$prefix"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
    "http://deb.debian.org/debian $suite main" >"$root/apt/sources.list"
apt=(apt-get -q
    -o "Dir::Etc::SourceList=$root/apt/sources.list" -o "Dir::Etc::SourceParts=-"
    -o "Dir::State::Lists=$root/apt/lists" -o "Dir::Cache=$root/apt/cache"
    -o "APT::Sandbox::User=$(id -un)")

cd "$root/source"
source_folder() { find . -maxdepth 1 -type d -name 'rocksdb-*' | head -1; }
if [[ -z "$(source_folder)" ]]; then
    "${apt[@]}" update
    "${apt[@]}" source rocksdb
fi
cd "$(source_folder)"
echo "Building $(basename "$PWD") with $jobs jobs; this takes a while."

# The detection script reads these from the environment; lz4 and zstd are the only libraries it shall find.
for library in GFLAGS SNAPPY ZLIB BZIP TBB NUMA MEMKIND JEMALLOC BENCHMARK PG; do
    export "ROCKSDB_DISABLE_$library=1"
done
# PORTABLE=0: instructions of this machine's processor, as the peer's authors advise for speed.
make -j"$jobs" static_lib DEBUG_LEVEL=0 PORTABLE=0 USE_RTTI=1 DISABLE_WARNING_AS_ERROR=1 DISABLE_JEMALLOC=1 \
    ROCKSDB_NO_FBCODE=1 EXTRA_CXXFLAGS="-DNDEBUG -g0" EXTRA_CFLAGS="-DNDEBUG -g0"

mkdir -p "$prefix/lib" "$prefix/include"
cp -R include/rocksdb "$prefix/include/"
strip --strip-debug -o "$prefix/lib/librocksdb.a.partial" librocksdb.a
mv "$prefix/lib/librocksdb.a.partial" "$prefix/lib/librocksdb.a"
echo "RocksDB is built: $prefix"
