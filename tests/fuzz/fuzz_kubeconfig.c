/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kubeconfigs, and what exec plugins print, from any bytes: it ends with an access or an error. */
#include <string.h>

#include "base/arena.h"
#include "check.h"
#include "k8s/kubeconfig.h"

static void check_clean(struct str text)
{
    MUST(text.n == 0 || memchr(text.p, '\0', text.n) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena arena = ARENA_INIT;
    struct str text = {.p = (const char *)data, .n = size};
    const struct k8s_config_file files[] = {
        {.path = STR("a/config"), .folder = STR("a"), .text = str_sub(text, 0, size / 2)},
        {.path = STR("b/config"), .folder = STR("b"), .text = text},
    };
    struct k8s_access access;
    struct k8s_exec_credential credential;
    struct err err = {.code = ERR_NONE};
    for (int i = 0; i < 3; i++) {
        if (k8s_kubeconfig_read(i == 2 ? files : &files[1], i == 2 ? 2 : 1,
                                i == 1 ? STR("a") : STR_EMPTY, &arena, &access, &err)) {
            MUST(str_starts(access.server, STR("http")) && !str_ends(access.server, STR("/")));
            check_clean(access.server);
            check_clean(access.token.bytes);
            check_clean(access.exec.command);
            (void)k8s_exec_info(&access, access.ca.bytes, /* interactive= */ true, &arena);
        } else {
            MUST(err.code != ERR_NONE && err.text[0] != '\0');
        }
    }
    if (k8s_exec_credential_read(text, STR("client.authentication.k8s.io/v1"), &arena, &credential,
                                 &err)) {
        MUST(credential.token.n > 0 || (credential.cert_pem.n > 0 && credential.key_pem.n > 0));
    }
    return 0;
}
