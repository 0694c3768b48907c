/* SPDX-License-Identifier: Apache-2.0 */
/* Is an answer the same thing in every shape: table, CSV, record, JSON? */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>

#include "tests/unit/cli/typed.h"

static const struct column columns[] = {
    {"id", "id", 0},
    {"status", "status", COLUMN_STATUS},
    {"key", "key", 0},
    {"names", "names", COLUMN_ELASTIC},
};

static const char list[] = "[{\"id\":\"a\",\"status\":\"valid\",\"key\":{\"type\":\"rsa\",\"bits\":2048},"
                           "\"names\":[\"x.example\",\"y\"]},"
                           "{\"id\":\"long-id\",\"status\":\"revoked\",\"key\":null,\"names\":[]}]";

struct shape {
    struct cli cli;
    char *out;
    size_t len;
};

static void begin(struct shape *s, enum format format)
{
    *s = (struct shape){.cli = {.format = format}};
    s->cli.io.out = s->cli.io.err = open_memstream(&s->out, &s->len);
}

static void end(struct shape *s, const char *want)
{
    fclose(s->cli.io.out);
    cr_assert_str_eq(s->out, want);
    free(s->out);
}

static void write_list(struct shape *s, const char *json, const char *cursor)
{
    struct js *items = NULL;
    struct rows rows;

    cr_assert_eq(js_parse(span_str(json), &items, NULL), OK);
    rows_open(&rows, &s->cli, columns, COUNT_OF(columns), columns, COUNT_OF(columns));
    for (size_t i = 0; i < js_len(items); i++)
        rows_add(&rows, js_at(items, i));
    rows_page(&rows);
    rows_close(&rows, cursor);
    js_free(items);
}

Test(table, columns_line_up_without_trailing_blanks)
{
    struct shape s;

    begin(&s, FORMAT_TABLE);
    write_list(&s, list, NULL);
    end(&s, "ID       STATUS   KEY       NAMES\n"
            "a        valid    rsa 2048  x.example, y\n"
            "long-id  revoked  -         -\n");
}

Test(table, an_empty_list_is_its_heading)
{
    struct shape s;

    begin(&s, FORMAT_TABLE);
    write_list(&s, "[]", NULL);
    end(&s, "ID  STATUS  KEY  NAMES\n");
}

Test(table, a_terminal_cuts_elastic_columns_alone)
{
    struct shape s;

    setlocale(LC_CTYPE, "C.UTF-8");
    begin(&s, FORMAT_TABLE);
    s.cli.io.out_is_terminal = true;
    s.cli.io.width = 30;
    write_list(&s, "[{\"id\":\"0123456789\",\"status\":\"ok\",\"names\":\"a name that is far too long\"}]",
               NULL);
    end(&s, "ID          STATUS  KEY  NAMES\n"
            "0123456789  ok      -    a name that\xe2\x80\xa6\n");
}

Test(table, colour_is_put_around_the_word_not_the_blanks)
{
    struct shape s;

    begin(&s, FORMAT_TABLE);
    s.cli.out_color = true;
    write_list(&s, "[{\"id\":\"a\",\"status\":\"revoked\",\"names\":\"n\"}]", NULL);
    end(&s, "\x1b[1mID\x1b[0m  \x1b[1mSTATUS\x1b[0m   \x1b[1mKEY\x1b[0m  \x1b[1mNAMES\x1b[0m\n"
            "a   \x1b[31mrevoked\x1b[0m  -    n\n");
}

Test(table, hostile_names_stay_in_their_line)
{
    struct shape s;

    begin(&s, FORMAT_TABLE);
    write_list(&s, "[{\"id\":\"a\\nb\",\"status\":\"\\u001b[2J\",\"names\":\"\\u202e\"}]", NULL);
    end(&s, "ID        STATUS     KEY  NAMES\n"
            "a\\u000ab  \\u001b[2J  -    \\u202e\n");
}

Test(table, pages_keep_growing_widths)
{
    struct shape s;
    struct grid t;
    struct js *row = js_object();

    begin(&s, FORMAT_TABLE);
    grid_open(&t, columns, 2);
    js_set_str(row, "id", "long-id");
    js_set_str(row, "status", "ok");
    grid_add(&t, row);
    grid_write(&t, &s.cli);
    js_set_str(row, "id", "b");
    grid_add(&t, row);
    grid_write(&t, &s.cli);
    grid_close(&t);
    js_free(row);
    end(&s, "ID       STATUS\nlong-id  ok\nb        ok\n");
}

Test(csv, fields_are_quoted_as_rfc_4180_says)
{
    struct shape s;

    begin(&s, FORMAT_CSV);
    write_list(&s,
               "[{\"id\":\"a,b\",\"status\":\"say \\\"x\\\"\",\"key\":\"l1\\nl2\",\"names\":[\"p\",\"q\"]},"
               "{\"id\":\"=cmd()\",\"status\":null,\"key\":true,\"names\":7}]",
               NULL);
    end(&s, "id,status,key,names\r\n\"a,b\",\"say \"\"x\"\"\",\"l1\nl2\",p q\r\n\"=cmd()\",,yes,7\r\n");
}

Test(csv, an_empty_list_has_its_heading_and_a_failure_nothing)
{
    struct shape s;
    struct rows rows;

    begin(&s, FORMAT_CSV);
    write_list(&s, "[]", NULL);
    end(&s, "id,status,key,names\r\n");
    begin(&s, FORMAT_CSV);
    rows_open(&rows, &s.cli, columns, COUNT_OF(columns), columns, COUNT_OF(columns));
    rows_abort(&rows);
    end(&s, "");
}

Test(csv, a_file_gets_the_octets_a_terminal_what_is_safe)
{
    struct shape s;

    begin(&s, FORMAT_CSV);
    write_list(&s, "[{\"id\":\"\\u001b[2J\"}]", NULL);
    end(&s, "id,status,key,names\r\n\x1b[2J,,,\r\n");
    begin(&s, FORMAT_CSV);
    s.cli.io.out_is_terminal = true;
    write_list(&s, "[{\"id\":\"\\u001b[2J\"}]", NULL);
    end(&s, "id,status,key,names\r\n\\u001b[2J,,,\r\n");
}

Test(rows, json_is_one_document_with_its_cursor)
{
    struct shape s;

    begin(&s, FORMAT_JSON);
    s.cli.is_quiet = true;
    write_list(&s, "[{\"id\":\"a\"}]", "c1");
    end(&s, "{\n  \"items\": [\n    {\n      \"id\": \"a\"\n    }\n  ],\n  \"next\": \"c1\"\n}\n");
}

Test(rows, json_lines_are_one_row_each)
{
    struct shape s;

    begin(&s, FORMAT_JSONL);
    write_list(&s, "[{\"id\":\"a\\u007f\"},{\"id\":\"b\"}]", NULL);
    end(&s, "{\"id\":\"a\\u007f\"}\n{\"id\":\"b\"}\n");
}

Test(rows, more_is_said_unless_quiet)
{
    struct shape s;

    begin(&s, FORMAT_JSONL);
    write_list(&s, "[]", "c1");
    end(&s, "more follow: --after c1\n");
}

Test(record, groups_are_flattened_and_lists_stand_one_a_line)
{
    struct shape s;
    struct js *v = NULL;

    begin(&s, FORMAT_TABLE);
    cr_assert_eq(js_parse(span_str("{\"serial\":\"01\",\"not_after\":\"T\",\"key\":{\"type\":\"ec\",\"bits\":"
                                   "384},\"sans\":[\"a\",\"b\"],"
                                   "\"none\":[],\"crl\":{\"next_update\":\"U\",\"url\":null},\"pem\":\"-----"
                                   "\",\"chain\":\"-----\"}"),
                          &v, NULL),
                 OK);
    record_write(&s.cli, v);
    js_free(v);
    end(&s, "serial           01\n"
            "not after        T\n"
            "key              ec 384\n"
            "sans             a\n"
            "                 b\n"
            "none             -\n"
            "crl next update  U\n"
            "crl url          -\n");
}

Test(cell, paths_lead_into_objects)
{
    struct js *v = NULL;

    cr_assert_eq(js_parse(span_str("{\"a\":{\"b\":{\"c\":\"x\"}},\"s\":\"t\"}"), &v, NULL), OK);
    cr_assert_str_eq(js_str(cell_find(v, "a.b.c")), "x");
    cr_assert_null(cell_find(v, "a.x.c"));
    cr_assert_null(cell_find(v, "s.t"));
    cr_assert_str_eq(cell_str(v, "a.b.c"), "x");
    cr_assert_str_eq(cell_str(v, "a.x.c"), "?");
    cr_assert_str_eq(cell_str(v, "a"), "?", "no text");
    js_free(v);
}

Test(finding, people_read_rule_message_and_fix)
{
    struct shape s;
    struct js *v = NULL;

    begin(&s, FORMAT_TABLE);
    s.cli.is_quiet = true;
    cr_assert_eq(js_parse(span_str("[{\"rule\":\"csr.hash.weak\",\"severity\":\"note\",\"field\":null,"
                                   "\"got\":null,\"want\":null,"
                                   "\"message\":\"SHA-1.\",\"fix\":null},"
                                   "{\"rule\":\"name.wildcard\",\"severity\":\"refuse\",\"field\":\"san\","
                                   "\"got\":\"*.x\",\"want\":null,"
                                   "\"message\":\"No \\u001b.\",\"fix\":\"Name it.\"}]"),
                          &v, NULL),
                 OK);
    finding_write_all(&s.cli, v);
    finding_say_all(&s.cli, v);
    js_free(v);
    end(&s, "note    csr.hash.weak  SHA-1.\n"
            "refuse  name.wildcard  No \\u001b.  field: san  got: *.x\n"
            "        fix: Name it.\n"
            "refuse  name.wildcard  No \\u001b.  field: san  got: *.x\n"
            "        fix: Name it.\n");
}
