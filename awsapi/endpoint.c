/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "awsapi/endpoint.h"

#include "awsapi/operation.h"
#include "base/arena.h"
#include "base/limits.h"

/* Public facts of AWS's partitions: beginnings of region names, suffixes, and the region that
 * global services sign with. The first row whose prefix fits wins, so longer prefixes come first.
 */
static const struct partition {
    const char *prefix, *name, *suffix, *dualstack_suffix, *global_region;
} partitions[] = {
    {"us-gov-", "aws-us-gov", "amazonaws.com", "api.aws", "us-gov-west-1"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", "us-isof-south-1"},
    {"us-iso-", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1"},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", "eu-isoe-west-1"},
    {"eusc-", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1"},
    {"cn-", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1"},
    {"", "aws", "amazonaws.com", "api.aws", "us-east-1"},
};

/* Where prices are served from, by beginning of the caller's region (karp: pricing endpoint). */
static const struct {
    const char *prefix, *region;
} pricing_regions[] = {
    {"ap-", "ap-south-1"}, {"cn-", "cn-northwest-1"}, {"eu-", "eu-central-1"}, {"", "us-east-1"}};

static const struct partition *partition_of(struct str region)
{
    size_t i = 0;
    while (!str_starts(region, str_of(partitions[i].prefix))) {
        i++;
    }
    return &partitions[i];
}

struct str aws_partition_of(struct str region)
{
    return str_of(partition_of(region)->name);
}

static bool is_region(struct str region)
{
    bool good = region.n > 0 && region.n <= 63;
    for (size_t i = 0; good && i < region.n; i++) {
        char c = region.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    return good;
}

static bool is_host(struct str host)
{
    bool good = host.n > 0 && host.n <= LIMIT_NAME_BYTES;
    for (size_t i = 0; good && i < host.n; i++) {
        char c = host.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == ':' || c == '[' || c == ']' || c == '_';
    }
    return good;
}

bool aws_endpoint_parse(struct str url, struct aws_endpoint *ret_endpoint, struct err *err)
{
    bool secure = str_starts(url, STR("https://"));
    struct str rest = str_sub(url, secure ? 8 : 7, url.n);
    size_t slash = str_find(rest, '/');
    struct str path = str_sub(rest, slash, rest.n);
    if ((!secure && !str_starts(url, STR("http://"))) || !is_host(str_sub(rest, 0, slash)) ||
        str_find(path, '?') < path.n || str_find(path, '#') < path.n) {
        return err_set(err, ERR_INVALID,
                       "endpoint \"" STR_FMT
                       "\": expected http://HOST[:PORT][/PATH] or https://...",
                       STR_ARG(url));
    }
    while (str_ends(path, STR("/"))) {
        path.n--;
    }
    *ret_endpoint = (struct aws_endpoint){.scheme = secure ? STR("https") : STR("http"),
                                          .host = str_sub(rest, 0, slash),
                                          .base_path = path};
    return true;
}

static struct str signing_region(const struct aws_service *service, struct str region)
{
    if (service->is_global) {
        return str_of(partition_of(region)->global_region);
    }
    if (!str_eq(str_of(service->endpoint), STR("api.pricing"))) {
        return region;
    }
    size_t i = 0;
    while (!str_starts(region, str_of(pricing_regions[i].prefix))) {
        i++;
    }
    return str_of(pricing_regions[i].region);
}

/* IAM's hosts: no region in the commercial partition, the partition's own elsewhere. */
static void add_global_host(struct strbuf *host, const struct aws_service *service,
                            const struct partition *partition, bool fips)
{
    strbuf_addf(host, "%s%s.", service->endpoint, fips ? "-fips" : "");
    if (str_eq(str_of(partition->name), STR("aws-us-gov")) ||
        str_starts(str_of(partition->name), STR("aws-iso")) ||
        str_eq(str_of(partition->name), STR("aws-eusc"))) {
        strbuf_addf(host, "%s.", partition->global_region);
    }
    strbuf_addf(host, "%s", partition->suffix);
}

bool aws_endpoint_find(const struct aws_service *service,
                       const struct aws_endpoint_settings *settings, struct arena *arena,
                       struct aws_endpoint *ret_endpoint, struct err *err)
{
    const struct partition *partition = partition_of(settings->region);
    struct str url = settings->service_url.n > 0 ? settings->service_url : settings->url;
    struct aws_endpoint endpoint = {.scheme = STR("https")};
    if (!is_region(settings->region)) {
        return err_set(err, ERR_INVALID, "region \"" STR_FMT "\": not a region's name",
                       STR_ARG(settings->region));
    }
    if (url.n > 0 && !aws_endpoint_parse(url, &endpoint, err)) {
        return false;
    }
    endpoint.signing_region = signing_region(service, settings->region);
    if (url.n == 0) {
        struct strbuf host = strbuf_new(arena, LIMIT_NAME_BYTES);
        if (service->is_global) {
            add_global_host(&host, service, partition, settings->use_fips);
        } else {
            strbuf_addf(&host, "%s%s.", service->endpoint, settings->use_fips ? "-fips" : "");
            strbuf_add(&host, endpoint.signing_region);
            strbuf_addf(&host, ".%s",
                        settings->use_dualstack ? partition->dualstack_suffix : partition->suffix);
        }
        endpoint.host = strbuf_str(&host);
    }
    *ret_endpoint = endpoint;
    return true;
}

void aws_endpoint_apply(const struct aws_endpoint *endpoint, struct str host_prefix,
                        struct aws_http_request *request, struct arena *arena)
{
    struct strbuf host = strbuf_new(arena, (size_t)2 * LIMIT_NAME_BYTES);
    struct strbuf path = strbuf_new(arena, LIMIT_AWS_REQUEST_BYTES);
    strbuf_add(&host, host_prefix);
    strbuf_add(&host, endpoint->host);
    strbuf_add(&path, endpoint->base_path);
    strbuf_add(&path, request->path);
    request->scheme = endpoint->scheme;
    request->host = strbuf_str(&host);
    request->path = strbuf_str(&path);
}
