/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints deploy/crds.yaml: our CRDs, from the schema tables. */
#include <stdio.h>

#include "base/arena.h"
#include "k8s/schema_crd.h"

enum { OUT_BYTES = 1 << 20 };

int main(void)
{
    auto_arena arena = ARENA_INIT;
    struct strbuf out = strbuf_new(&arena, OUT_BYTES);
    k8s_crds_write(&arena, &out);
    (void)printf("# SPDX-License-Identifier: GPL-3.0-or-later\n"
                 "# GENERATED from k8s/schema_tables.c: ninja -C BUILD write-crds\n"
                 "---\n");
    return out.overflow || fwrite(out.p, 1, out.n, stdout) != out.n ? 1 : 0;
}
