#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that check.py fails when it should: each claim makes a small tree with one fault."""
import pathlib
import tempfile
import unittest

import check

CLEAN = {
    "base/buf.h": "#include <stdint.h>\n",
    "base/json.c": '#include <jansson.h>\n#include "base/buf.h"\n',
    "base/CMakeLists.txt": "add_library(base STATIC json.c)\ntarget_link_libraries(base PRIVATE PkgConfig::JANSSON)\n",
    "store/store.h": '#include "base/buf.h"\n',
    "store/inner.h": '#include "store/store.h"\n',
    "store/CMakeLists.txt": "target_link_libraries(store PRIVATE base)\n",
    "ocsp/ocsp.h": '#include "store/store.h"\n#include "base/buf.h"\n',
    "ocsp/CMakeLists.txt": "target_link_libraries(ocsp PRIVATE store base)\n",
    "crl/crl.h": '#include "base/buf.h"\n',
    "crl/CMakeLists.txt": "target_link_libraries(crl PRIVATE\n    store base)\n",
    "cli/ocsp_query.h": '#include "base/buf.h"\n',
    "cli/CMakeLists.txt": "target_link_libraries(cli PRIVATE base)\n",
    "api/main.c": '#include <sys/types.h>\n#include "crl/crl.h"\n#include "ocsp/ocsp.h"\n',
    "api/CMakeLists.txt": "target_link_libraries(api PRIVATE crl ocsp cli store base)\n",
}


class Layers(unittest.TestCase):
    def check(self, changes):
        with tempfile.TemporaryDirectory() as root:
            for name, text in {**CLEAN, **changes}.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check.check_tree(pathlib.Path(root))

    def refused(self, changes, *wanted):
        faults = self.check(changes)
        for text in wanted:
            self.assertTrue(any(text in fault for fault in faults), f"{text!r} is not in {faults}")

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.check({}), [])

    def test_the_permitted_edges_have_no_cycle(self):
        self.assertIsNone(check.find_cycle(check.EDGES))

    def test_a_backward_include_fails(self):
        self.refused({"base/buf.c": '#include "store/store.h"\n'}, "base/buf.c:1: base must not include store")

    def test_an_include_among_neighbours_fails(self):
        self.refused({"crl/crl.c": '\n#include "ocsp/ocsp.h"\n'}, "crl/crl.c:2: crl must not include ocsp")

    def test_a_cycle_fails_and_is_named(self):
        self.refused(
            {"crl/crl.c": '#include "ocsp/ocsp.h"\n', "ocsp/ocsp.c": '#include "crl/crl.h"\n'},
            "cycle: crl -> ocsp -> crl",
        )

    def test_a_third_party_header_outside_its_owner_fails(self):
        self.refused({"ocsp/ocsp.c": "#include <lmdb.h>\n"}, "ocsp/ocsp.c:1: <lmdb.h> belongs to store/lmdb_inner.h")
        self.refused({"api/tree.c": "#include <libxml/tree.h>\n"}, "<libxml/tree.h> belongs to base/xml.c")

    def test_a_header_of_several_owners_is_theirs_alone(self):
        self.assertEqual(self.check({"base/fetch.c": "#include <curl/curl.h>\n", "base/transfer.c": "#include <curl/curl.h>\n"}), [])
        self.refused({"base/json.c": "#include <curl/curl.h>\n"}, "<curl/curl.h> belongs to base/curl.c and base/curl_inner.h and base/fetch.c")

    def test_a_third_party_header_of_no_one_fails(self):
        self.refused({"api/sql.c": "#include <sqlite3.h>\n"}, "<sqlite3.h> has no owner")

    def test_openssl_outside_the_listed_files_fails(self):
        self.refused({"store/row.c": "#include <openssl/evp.h>\n"}, "store/row.c:1: <openssl/evp.h>")

    def test_a_private_header_of_another_room_fails(self):
        self.refused({"api/rows.c": '#include "store/inner.h"\n'}, "store/inner.h is private to store")
        self.refused({"api/query.c": '#include "cli/ocsp_query.h"\n'}, "cli/ocsp_query.h is private to cli")

    def test_a_header_for_some_files_is_theirs_alone(self):
        shared = {"base/part.h": "/* SPDX-License-Identifier: Apache-2.0 */\n/*\n * part: pieces. Private to b.c (which\n * cuts),\n * cut.c and part_more.h. Pure.\n */\n"}
        mine = {name: '#include "base/part.h"\n' for name in ("base/b.c", "base/cut.c", "base/part_more.h")}
        self.assertEqual(self.check({**shared, **mine}), [])
        self.refused({**shared, "base/which.c": '#include "base/part.h"\n'}, "base/which.c:1: base/part.h is private to b.c, cut.c, part_more.h")
        self.refused({**shared, "store/cut.c": '#include "base/part.h"\n'}, "store/cut.c:1: base/part.h is private to")

    def test_an_include_not_written_from_the_root_fails(self):
        self.refused({"store/row.c": '#include "inner.h"\n'}, '"inner.h" is no header of ours')

    def test_a_link_along_no_edge_fails(self):
        self.refused({"cli/CMakeLists.txt": "target_link_libraries(cli PRIVATE store base)\n"}, "cli must not link store")

    def test_an_edge_that_is_not_linked_fails(self):
        self.refused({"ocsp/CMakeLists.txt": "target_link_libraries(ocsp PRIVATE base)\n"}, "ocsp includes store and does not link it")


if __name__ == "__main__":
    unittest.main()
