# What every build of ours asks of ccache; to be sourced in the top folder. What was compiled in one folder serves
# another, code behind precompiled headers too.
export CCACHE_DIR="${CCACHE_DIR:-$HOME/.cache/ccache}" CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros
# CMake and the Python build would find one compiler by two names, and what one compiled would not serve the other.
export CC="${CC:-gcc}" CXX="${CXX:-g++}"
