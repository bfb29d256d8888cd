<?php
// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: php php.php APPLICATION_ID SEEK_TOKEN

/** Call it after the application is committed. Posting the same pair again does no harm. */
function application_completed(string $id, string $token, int $tries = 8): array
{
    $curl = curl_init((getenv('SEEK_SIGNAL') ?: 'http://127.0.0.1:8787') . '/v1/events');
    curl_setopt_array($curl, [
        CURLOPT_POSTFIELDS => json_encode(['applicationId' => $id, 'token' => $token]),
        CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 10,
    ]);
    for ($n = 0; ; $n++) {
        $body = curl_exec($curl); // false: refused, reset, timed out
        $answer = $body === false ? ['retryable' => true, 'detail' => curl_error($curl)] : json_decode($body, true);
        if ($body !== false && curl_getinfo($curl, CURLINFO_RESPONSE_CODE) < 300) {
            return $answer;
        }
        if (!$answer['retryable'] || $n + 1 >= $tries) {
            throw new RuntimeException($answer['detail']);
        }
        usleep(max(250000 * 2 ** $n, 1000000 * curl_getinfo($curl, CURLINFO_RETRY_AFTER)));
    }
}

echo json_encode(application_completed($argv[1], $argv[2])), "\n";
