/* Atomic counters, stopwatches, threads, Z85, keys, the version, capabilities. */
#include "sockets.h"

#include <limits.h>

TEST (a_counter_begins_at_zero)
{
    void *counter = zmq_atomic_counter_new ();
    CHECK (counter != NULL);
    CHECK_EQUAL (zmq_atomic_counter_value (counter), 0);
    zmq_atomic_counter_destroy (&counter);
    CHECK (counter == NULL);
}

TEST (counting_up_answers_the_value_before)
{
    void *counter = zmq_atomic_counter_new ();
    CHECK_EQUAL (zmq_atomic_counter_inc (counter), 0);
    CHECK_EQUAL (zmq_atomic_counter_inc (counter), 1);
    CHECK_EQUAL (zmq_atomic_counter_inc (counter), 2);
    CHECK_EQUAL (zmq_atomic_counter_value (counter), 3);
    zmq_atomic_counter_destroy (&counter);
}

TEST (counting_down_answers_whether_anything_is_left)
{
    void *counter = zmq_atomic_counter_new ();
    zmq_atomic_counter_set (counter, 3);
    CHECK_EQUAL (zmq_atomic_counter_dec (counter), 1);
    CHECK_EQUAL (zmq_atomic_counter_dec (counter), 1);
    CHECK_EQUAL (zmq_atomic_counter_dec (counter), 0);
    CHECK_EQUAL (zmq_atomic_counter_value (counter), 0);
    zmq_atomic_counter_destroy (&counter);
}

TEST (a_counter_takes_the_largest_value)
{
    void *counter = zmq_atomic_counter_new ();
    zmq_atomic_counter_set (counter, INT_MAX);
    CHECK_EQUAL (zmq_atomic_counter_value (counter), INT_MAX);
    CHECK_EQUAL (zmq_atomic_counter_dec (counter), 1);
    CHECK_EQUAL (zmq_atomic_counter_value (counter), INT_MAX - 1);
    zmq_atomic_counter_destroy (&counter);
}

static void counts_up (void *counter)
{
    for (int at = 0; at < 10000; at++)
        zmq_atomic_counter_inc (counter);
}

TEST (threads_count_without_losing_any)
{
    void *counter = zmq_atomic_counter_new ();
    void *threads[4];
    for (size_t at = 0; at < COUNT (threads); at++) {
        threads[at] = zmq_threadstart (counts_up, counter);
        CHECK (threads[at] != NULL);
    }
    for (size_t at = 0; at < COUNT (threads); at++)
        zmq_threadclose (threads[at]);
    CHECK_EQUAL (zmq_atomic_counter_value (counter), 40000);
    zmq_atomic_counter_destroy (&counter);
}

static void writes (void *argument)
{
    sleep_ms (20);
    *(int *) argument = 1;
}

TEST (closing_a_thread_waits_for_it)
{
    int written = 0;
    void *thread = zmq_threadstart (writes, &written);
    zmq_threadclose (thread);
    CHECK_EQUAL (written, 1);
}

TEST (a_stopwatch_measures_microseconds)
{
    void *watch = zmq_stopwatch_start ();
    CHECK (watch != NULL);
    sleep_ms (20);
    unsigned long between = zmq_stopwatch_intermediate (watch);
    CHECK (between >= 19000);
    sleep_ms (1);
    CHECK (zmq_stopwatch_intermediate (watch) > between);
    CHECK (zmq_stopwatch_stop (watch) > between);
}

TEST (sleeping_takes_seconds)
{
    long started = now_ms ();
    zmq_sleep (0);
    zmq_sleep (1);
    CHECK (now_ms () - started >= 999);
}

/* The example of RFC 32. */
static const uint8_t hello[8] = { 0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B };

TEST (z85_writes_the_example_of_its_specification)
{
    char text[11] = "----------";
    CHECK (zmq_z85_encode (text, hello, sizeof hello) == text);
    CHECK (strcmp (text, "HelloWorld") == 0);
}

TEST (z85_reads_the_example_of_its_specification)
{
    uint8_t bytes[8];
    CHECK (zmq_z85_decode (bytes, "HelloWorld") == bytes);
    CHECK (memcmp (bytes, hello, sizeof hello) == 0);
}

TEST (z85_encodes_nothing_as_nothing_and_decodes_nothing_to_EINVAL)
{
    char text[4] = "abc";
    uint8_t bytes[4] = { 1, 2, 3, 4 };
    CHECK (zmq_z85_encode (text, bytes, 0) == text);
    CHECK (strcmp (text, "") == 0);
    CHECK_NULL (zmq_z85_decode (bytes, ""), EINVAL);
}

TEST (z85_goes_there_and_back)
{
    uint8_t bytes[32], back[32];
    char text[41];
    for (int round = 0; round < 256; round++) {
        for (int at = 0; at < 32; at++)
            bytes[at] = (uint8_t) (round * (at + 3) + at);
        CHECK (zmq_z85_encode (text, bytes, 32) == text);
        CHECK_EQUAL (strlen (text), 40);
        CHECK (zmq_z85_decode (back, text) == back);
        CHECK (memcmp (bytes, back, 32) == 0);
    }
}

TEST (z85_encodes_multiples_of_four_alone)
{
    static const size_t wrong[] = { 1, 2, 3, 5, 6, 7, 31 };
    uint8_t bytes[32] = { 0 };
    char text[64];
    for (size_t at = 0; at < COUNT (wrong); at++)
        CHECK_NULL (zmq_z85_encode (text, bytes, wrong[at]), EINVAL);
}

TEST (z85_refuses_texts_of_other_lengths_other_characters_and_numbers_too_large)
{
    static const char *const wrong[] = { "1",       "1234",    "123456",  "Hello\x7f", "Hell\xc3\xa4o", "a b c",
                                         "\"aaaa",  "aaaa,",   "aa;aa",   "%nSc1",     "#####",         "HelloWorl" };
    uint8_t bytes[16];
    for (size_t at = 0; at < COUNT (wrong); at++)
        CHECK_NULL (zmq_z85_decode (bytes, wrong[at]), EINVAL);
    CHECK (zmq_z85_decode (bytes, "%nSc0") == bytes);
    CHECK (memcmp (bytes, "\xff\xff\xff\xff", 4) == 0);
}

TEST (the_version_is_that_of_the_header)
{
    int major = -1, minor = -1, patch = -1;
    zmq_version (&major, &minor, &patch);
    CHECK_EQUAL (major, ZMQ_VERSION_MAJOR);
    CHECK_EQUAL (minor, ZMQ_VERSION_MINOR);
    CHECK_EQUAL (patch, ZMQ_VERSION_PATCH);
    CHECK_EQUAL (ZMQ_VERSION, ZMQ_MAKE_VERSION (major, minor, patch));
    CHECK (ZMQ_MAKE_VERSION (4, 3, 5) > ZMQ_MAKE_VERSION (4, 2, 9));
}

ONLY_OURS (the_version_is_4_3_5, "Debian's is 4.3.4")
{
    CHECK_EQUAL (ZMQ_VERSION, 40305);
}

TEST (capabilities_are_there_or_not)
{
    static const char *const known[] = { "pgm", "tipc", "norm", "curve", "gssapi", "vmci", "draft", "WS", "WSS" };
    CHECK_EQUAL (ZMQ_HAS_CAPABILITIES, 1);
    CHECK_EQUAL (zmq_has ("ipc"), 1);
    for (size_t at = 0; at < COUNT (known); at++)
        CHECK (zmq_has (known[at]) == 0 || zmq_has (known[at]) == 1);
    CHECK_EQUAL (zmq_has (""), 0);
    CHECK_EQUAL (zmq_has ("IPC"), 0);
    CHECK_EQUAL (zmq_has ("ip"), 0);
    CHECK_EQUAL (zmq_has ("telepathy"), 0);
}

TEST (key_pairs_fit_together)
{
    char public[41], secret[41], derived[41];
    CHECK_OK (zmq_curve_keypair (public, secret));
    CHECK_EQUAL (strlen (public), 40);
    CHECK_EQUAL (strlen (secret), 40);
    CHECK (strcmp (public, secret) != 0);
    CHECK_OK (zmq_curve_public (derived, secret));
    CHECK (strcmp (public, derived) == 0);
}

TEST (key_pairs_are_new_each_time)
{
    char one[41], two[41], secret[41];
    CHECK_OK (zmq_curve_keypair (one, secret));
    CHECK_OK (zmq_curve_keypair (two, secret));
    CHECK (strcmp (one, two) != 0);
}

/* The first are the test keys of the manual. */
TEST (public_keys_follow_from_secret_ones)
{
    static const char *const pairs[][2] = {
        { "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID" },
        { "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7" },
        { "0000000000000000000000000000000000000000", "fxERSn6LHg6!4!qu+m-(f-Q<1UF!=7)u0-ysJ-^F" },
    };
    char public[42];
    for (size_t at = 0; at < COUNT (pairs); at++) {
        memset (public, '~', sizeof public);
        CHECK_OK (zmq_curve_public (public, pairs[at][0]));
        CHECK (strcmp (public, pairs[at][1]) == 0);
        CHECK (public[41] == '~');
    }
}

static const char *const no_keys[] = {
    "",
    "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%c",
    "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs1",
    "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%~s",
    "########################################",
};

TEST (text_that_is_no_secret_key_has_no_public_one)
{
    char public[41];
    for (size_t at = 0; at < COUNT (no_keys); at++)
        CHECK_ERRNO (zmq_curve_public (public, no_keys[at]), EINVAL);
}

ONLY_OURS (keys_have_forty_characters,
           "libzmq takes any multiple of five, and reads or writes beyond its own memory for them")
{
    char public[41] = "untouched";
    CHECK_ERRNO (zmq_curve_public (public, "short"), EINVAL);
    CHECK_ERRNO (zmq_curve_public (public, "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs12345"), EINVAL);
    CHECK (strcmp (public, "untouched") == 0);
}

ONLY_OURS (keys_without_a_place_are_EINVAL, "libzmq crashes")
{
    char key[41] = "untouched";
    CHECK_ERRNO (zmq_curve_keypair (NULL, key), EINVAL);
    CHECK_ERRNO (zmq_curve_keypair (key, NULL), EINVAL);
    CHECK_ERRNO (zmq_curve_public (key, NULL), EINVAL);
    CHECK_ERRNO (zmq_curve_public (NULL, no_keys[1]), EINVAL);
    CHECK (strcmp (key, "untouched") == 0);
}
