/* SPDX-License-Identifier: Apache-2.0 */
/* Does a run know what it is, what it has done, and what it must not take? */
#include "cli/dump.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/dump-test-XXXXXX";
static char out_path[64];
static struct cli cli;

static void write_file(const char *name, const char *content, const char *mode)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, mode);
    fwrite(content, 1, strlen(content), f);
    fclose(f);
}

static void begin(void)
{
    cr_assert_not_null(mkdtemp(dir));
    snprintf(out_path, sizeof out_path, "%s.tgz", dir);
    cli = (struct cli){.args = {.words = {"csr", "sign", dir}, .word_count = 3}};
    cli.args.value[OPT_PROFILE] = "phone/LSC";
    cli.io.out = cli.io.err = fopen("/dev/null", "w");
}

static void end(void)
{
    char command[256];

    fclose(cli.io.err);
    snprintf(command, sizeof command, "rm -rf %s %s %s.run", dir, out_path, out_path);
    cr_assert_eq(system(command), 0);
}

static struct js *line_of(const char *serial)
{
    struct js *line = js_object();

    js_set_str(line, "serial", serial);
    return line;
}

Test(dump, an_answer_is_named_like_its_request, .init = begin, .fini = end)
{
    struct dump d;

    write_file("SEP1.csr", "1", "w");
    write_file("SEP2.PEM", "2", "w");
    write_file("host.example.com", "3", "w");
    cr_assert_eq(dump_open(&cli, &d), DONE);
    cr_assert_str_eq(d.by_name[0]->out, "SEP1.der");
    cr_assert_str_eq(d.by_name[1]->out, "SEP2.der");
    cr_assert_str_eq(d.by_name[2]->out, "host.example.com.der");
    cr_assert_str_eq(dump_find(&d, "SEP2.der")->path, "SEP2.PEM");
    cr_assert_null(dump_find(&d, "SEP3.der"));
    dump_close(&d);
}

Test(dump, entries_that_would_share_an_answer_are_all_refused, .init = begin, .fini = end)
{
    struct dump d;

    write_file("a.csr", "1", "w");
    write_file("a.pem", "2", "w");
    write_file("b.csr", "3", "w");
    cr_assert_eq(dump_open(&cli, &d), DONE);
    cr_assert_eq(d.counts[DUMP_REFUSED], 2);
    cr_assert_eq(d.counts[DUMP_TODO], 1);
    cr_assert_null(dump_find(&d, "a.der"));
    cr_assert_str_eq(d.by_name[0]->refusal, ENTRY_DUPLICATE);
    cr_assert_not_null(dump_rule_text(ENTRY_DUPLICATE));
    dump_close(&d);
}

Test(dump, the_same_content_moves_together, .init = begin, .fini = end)
{
    struct dump d;

    write_file("a.csr", "same", "w");
    write_file("b.csr", "same", "w");
    write_file("c.csr", "same", "w");
    write_file("d.csr", "other", "w");
    cr_assert_eq(dump_open(&cli, &d), DONE);
    cr_assert_eq(d.by_name[1]->first, d.by_name[0]);
    cr_assert_eq(d.by_name[2]->first, d.by_name[0]);
    dump_set(&d, d.by_name[0], DUMP_SIGNED, 7);
    cr_assert_eq(d.counts[DUMP_SIGNED], 3);
    cr_assert_eq(d.by_name[2]->at, 7);
    cr_assert_eq(d.by_name[3]->state, DUMP_TODO);
    dump_close(&d);
}

static void name_of_run(char out[static RUN_MAX])
{
    struct dump d;

    cr_assert_eq(dump_open(&cli, &d), DONE);
    strcpy(out, d.run);
    dump_close(&d);
}

Test(dump, a_run_is_what_is_asked, .init = begin, .fini = end)
{
    char first[RUN_MAX], again[RUN_MAX];

    write_file("a.csr", "1", "w");
    name_of_run(first);
    name_of_run(again);
    cr_assert_str_eq(first, again);
    cli.args.value[OPT_DAYS] = "30";
    name_of_run(again);
    cr_assert_str_neq(first, again, "other days are another run");
    cli.args.value[OPT_DAYS] = NULL;
    cli.args.value[OPT_PROFILE] = "phone/LSC-EC";
    name_of_run(again);
    cr_assert_str_neq(first, again, "another profile is another run");
    cli.args.value[OPT_PROFILE] = "phone/LSC";
    write_file("a.csr", "2", "w");
    name_of_run(again);
    cr_assert_str_neq(first, again, "another request is another run");
    cli.args.value[OPT_RUN] = "mine";
    name_of_run(again);
    cr_assert_str_eq(again, "mine");
}

/* Opens dump and journal; gives the journal's exit code. */
static int open_both(struct dump *d, struct journal *j)
{
    cr_assert_eq(dump_open(&cli, d), DONE);
    return journal_open(&cli, j, d, out_path);
}

static void close_both(struct dump *d, struct journal *j)
{
    journal_close(j);
    dump_close(d);
}

Test(journal, what_is_signed_is_remembered_and_what_is_refused_is_asked_again, .init = begin, .fini = end)
{
    struct dump d;
    struct journal j;
    struct js *line;

    write_file("a.csr", "1", "w");
    write_file("b.csr", "2", "w");
    cr_assert_eq(open_both(&d, &j), DONE);
    cr_assert_geq(journal_add(&cli, &j, d.by_name[0], DUMP_SIGNED, line_of("01")), 0);
    cr_assert_geq(journal_add(&cli, &j, d.by_name[1], DUMP_REFUSED, line_of("02")), 0);
    close_both(&d, &j);
    cr_assert_eq(open_both(&d, &j), DONE);
    cr_assert_eq(d.by_name[0]->state, DUMP_SIGNED);
    cr_assert_eq(d.by_name[1]->state, DUMP_TODO);
    line = journal_read(&j, d.by_name[0]->at);
    cr_assert_str_eq(js_str(js_get(line, "serial")), "01");
    js_free(line);
    journal_remove(&j);
    cr_assert_neq(access(j.path, F_OK), 0);
    close_both(&d, &j);
}

static void append_to_journal(const char *text)
{
    char path[80];
    FILE *f;

    snprintf(path, sizeof path, "%s.run", out_path);
    f = fopen(path, "a");
    fputs(text, f);
    fclose(f);
}

Test(journal, a_torn_last_line_is_cut_off, .init = begin, .fini = end)
{
    struct dump d;
    struct journal j;
    int64_t size;

    write_file("a.csr", "1", "w");
    cr_assert_eq(open_both(&d, &j), DONE);
    size = j.size;
    close_both(&d, &j);
    append_to_journal("{\"name\":\"a.der\",\"csr");
    cr_assert_eq(open_both(&d, &j), DONE);
    cr_assert_eq(j.size, size);
    cr_assert_geq(journal_add(&cli, &j, d.by_name[0], DUMP_SIGNED, line_of("01")), size);
    close_both(&d, &j);
    cr_assert_eq(open_both(&d, &j), DONE);
    cr_assert_eq(d.counts[DUMP_SIGNED], 1);
    close_both(&d, &j);
}

Test(journal, a_damaged_line_or_another_run_is_refused, .init = begin, .fini = end)
{
    struct dump d;
    struct journal j;

    write_file("a.csr", "1", "w");
    cr_assert_eq(open_both(&d, &j), DONE);
    close_both(&d, &j);
    cli.args.value[OPT_RUN] = "other";
    cr_assert_eq(open_both(&d, &j), WRONG_USE);
    close_both(&d, &j);
    cli.args.value[OPT_RUN] = NULL;
    append_to_journal("not json\n{}\n");
    cr_assert_eq(open_both(&d, &j), WRONG_USE);
    close_both(&d, &j);
}

/* What is signed belongs to these octets: under the same name another request is not answered by it. */
Test(journal, a_line_for_another_content_is_not_taken, .init = begin, .fini = end)
{
    struct dump d;
    struct journal j;

    cli.args.value[OPT_RUN] = "mine";
    write_file("a.csr", "1", "w");
    cr_assert_eq(open_both(&d, &j), DONE);
    cr_assert_geq(journal_add(&cli, &j, d.by_name[0], DUMP_SIGNED, line_of("01")), 0);
    close_both(&d, &j);
    write_file("a.csr", "2", "w");
    cr_assert_eq(open_both(&d, &j), DONE);
    cr_assert_eq(d.counts[DUMP_SIGNED], 0);
    close_both(&d, &j);
}

Test(journal, a_second_process_is_refused, .init = begin, .fini = end)
{
    struct dump d, second;
    struct journal j, other;

    write_file("a.csr", "1", "w");
    cr_assert_eq(open_both(&d, &j), DONE);
    cr_assert_eq(open_both(&second, &other), WRONG_USE);
    close_both(&second, &other);
    close_both(&d, &j);
}
