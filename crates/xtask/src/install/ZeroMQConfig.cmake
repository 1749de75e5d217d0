# Tightbeam's libzmq for CMake: the targets libzmq (shared) and libzmq-static.

include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)

get_filename_component(_zmq_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET libzmq)
  add_library(libzmq SHARED IMPORTED)
  set_target_properties(libzmq PROPERTIES
    IMPORTED_LOCATION "${_zmq_prefix}/lib/@SHARED@"
    IMPORTED_SONAME "libzmq.so.5"
    INTERFACE_INCLUDE_DIRECTORIES "${_zmq_prefix}/include")
endif()

if(NOT TARGET libzmq-static)
  add_library(libzmq-static STATIC IMPORTED)
  set_target_properties(libzmq-static PROPERTIES
    IMPORTED_LOCATION "${_zmq_prefix}/lib/libzmq.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_zmq_prefix}/include"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
endif()

set(ZeroMQ_INCLUDE_DIR "${_zmq_prefix}/include")
set(ZeroMQ_LIBRARY libzmq)
set(ZeroMQ_STATIC_LIBRARY libzmq-static)
unset(_zmq_prefix)
