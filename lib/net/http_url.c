/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "" for a part that is not there. */
static bool get_part(CURLU *url, CURLUPart part, unsigned flags, char *out, size_t size,
                     struct error *error)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, flags);
    out[0] = '\0';
    if (code == CURLUE_OUT_OF_MEMORY)
        return error_out_of_memory(error);
    if (code != CURLUE_OK)
        return true;
    bool has_room = strlen(text) < size;
    if (has_room)
        (void)snprintf(out, size, "%s", text);
    curl_free(text);
    return has_room || error_set(error, ERROR_CONFIG, "a part of the URL is too long");
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, 0);
    curl_free(text);
    return code != CURLUE_NO_USER && code != CURLUE_NO_PASSWORD;
}

static void strip_brackets(char *host)
{
    size_t length = strlen(host);
    if (host[0] != '[')
        return;
    memmove(host, host + 1, length - 2);
    host[length - 2] = '\0';
}

static bool read_parts(CURLU *parsed, struct http_url *url, struct error *error)
{
    char scheme[sizeof "https"], port[sizeof "65535"];
    if (!get_part(parsed, CURLUPART_SCHEME, 0, scheme, sizeof scheme, error) ||
        !get_part(parsed, CURLUPART_HOST, 0, url->host, sizeof url->host, error) ||
        !get_part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port, error))
        return false;
    strip_brackets(url->host);
    url->is_https = strcasecmp(scheme, "https") == 0;
    url->has_credentials = has_part(parsed, CURLUPART_USER) || has_part(parsed, CURLUPART_PASSWORD);
    url->port = (uint16_t)strtoul(port, NULL, 10);
    return true;
}

/* libcurl takes a wrong number of slashes for a slip, and the file transfers that it knows too. */
static bool is_web_address(const char *text)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i]);
        if (strncasecmp(text, schemes[i], length) == 0)
            return text[length] != '/';
    }
    return false;
}

bool http_url_parse(const char *text, struct http_url *out, struct error *error)
{
    if (!is_web_address(text))
        return error_set(error, ERROR_CONFIG, "expected https://host… or http://host…");
    CURLU *parsed = curl_url();
    if (parsed == NULL)
        return error_out_of_memory(error);
    struct http_url url = {.port = 0};
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, text, 0);
    bool is_read = code == CURLUE_OK && read_parts(parsed, &url, error);
    if (code == CURLUE_OUT_OF_MEMORY)
        (void)error_out_of_memory(error);
    else if (code != CURLUE_OK)
        (void)error_set(error, ERROR_CONFIG, "no URL that can be used: %s",
                        curl_url_strerror(code));
    curl_url_cleanup(parsed);
    if (is_read)
        *out = url;
    return is_read;
}
