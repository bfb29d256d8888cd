/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The floor of the service's memory: its libraries loaded and initialised, and nothing done. Prints
 * a line when that is so.
 */
#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <json-c/json.h>
#include <microhttpd.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    redisReader *reader = redisReaderCreate();
    json_object *object = json_object_new_object();
    printf("%s %d\n", MHD_get_version(), multi != NULL && reader != NULL && object != NULL);
    (void)fflush(stdout);
    for (;;)
        (void)pause();
}
