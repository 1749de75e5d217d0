/* Certificates of czmq. Reads commands from standard input, one a line, and answers each with one line:
 *
 *     write FILE NAME VALUE    makes a pair of keys with this property, writes FILE and FILE_secret; answers both keys
 *     read FILE NAME           answers both keys, `-` for a secret that is not there, and the value of this property
 *
 * Words are separated by tabs, in both directions. `failed` instead of an answer says that it could not be done.
 */
#include <czmq.h>

#define NO_SECRET "0000000000000000000000000000000000000000"

static int write_certificate (const char *file, const char *name, const char *value)
{
    zcert_t *certificate = zcert_new ();
    zcert_set_meta (certificate, name, "%s", value);
    int failed = zcert_save (certificate, file) != 0;
    if (!failed)
        printf ("%s\t%s\n", zcert_public_txt (certificate), zcert_secret_txt (certificate));
    zcert_destroy (&certificate);
    return failed;
}

static int read_certificate (const char *file, const char *name)
{
    zcert_t *certificate = zcert_load (file);
    if (!certificate)
        return 1;
    const char *secret = zcert_secret_txt (certificate);
    const char *value = zcert_meta (certificate, name);
    printf ("%s\t%s\t%s\n", zcert_public_txt (certificate), strcmp (secret, NO_SECRET) ? secret : "-", value ? value : "");
    zcert_destroy (&certificate);
    return 0;
}

int main (void)
{
    char line[4096];
    zsys_init ();
    while (fgets (line, sizeof line, stdin)) {
        char *words[4] = { NULL };
        line[strcspn (line, "\n")] = 0;
        words[0] = strtok (line, "\t");
        for (int at = 1; at < 4 && words[at - 1]; at++)
            words[at] = strtok (NULL, "\t");
        int failed = 1;
        if (words[3] && strcmp (words[0], "write") == 0)
            failed = write_certificate (words[1], words[2], words[3]);
        else if (words[2] && strcmp (words[0], "read") == 0)
            failed = read_certificate (words[1], words[2]);
        if (failed)
            puts ("failed");
        fflush (stdout);
    }
    return 0;
}
