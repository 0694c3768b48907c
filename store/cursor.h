/* SPDX-License-Identifier: Apache-2.0 */
/* cursor: where a list goes on, as its pages name it. A part of the room's door, store/store.h. */
#ifndef STORE_CURSOR_H
#define STORE_CURSOR_H

/* Octets of an opaque cursor text with NUL: URL-safe, holds where the scan stopped. */
#define CURSOR_MAX 1024
#define CURSOR_OCTETS_MAX 448 /* that a list writes in hex there, whatever its rows' keys are */

#endif
