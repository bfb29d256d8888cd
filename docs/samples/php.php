<?php
// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: php php.php APPLICATION_ID SEEK_TOKEN      with SEEK_SIGNAL_API_KEY where the service asks for one
// PHP 8.2 or later with its extension curl; an older one knows no CURLINFO_RETRY_AFTER.

/** Call it after the application is committed. Posting the same pair again does no harm. */
function application_completed(string $id, string $token, int $tries = 8): ?array
{
    $headers = ['Content-Type: application/json'];
    if (getenv('SEEK_SIGNAL_API_KEY')) {
        $headers[] = 'Authorization: Bearer ' . getenv('SEEK_SIGNAL_API_KEY');
    }
    $curl = curl_init((getenv('SEEK_SIGNAL') ?: 'http://127.0.0.1:8787') . '/v1/events');
    curl_setopt_array($curl, [
        CURLOPT_POSTFIELDS => json_encode(['applicationId' => $id, 'token' => $token], JSON_THROW_ON_ERROR),
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 10,
        CURLOPT_PROXY => '', // none, whatever http_proxy says
    ]);
    for ($n = 0; ; $n++) {
        $body = curl_exec($curl); // false: refused, reset, timed out
        $status = $body === false ? 0 : curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        $stored = $status >= 200 && $status < 300 ? json_decode($body, true) : null;
        if (isset($stored['eventId'])) { // a page of a proxy has none
            return $stored;
        }
        if ($body !== false && str_contains($body, '"code":"token_missing"')) {
            return null; // not from SEEK: there is nothing to send
        }
        $isFinal = $status >= 300 && $status < 500 && $status !== 408 && $status !== 429;
        if ($isFinal || $n + 1 >= $tries) {
            throw new RuntimeException($status === 0 ? curl_error($curl) : "$status: $body");
        }
        usleep(max(250000 * 2 ** $n, 1000000 * curl_getinfo($curl, CURLINFO_RETRY_AFTER)));
    }
}

echo json_encode(application_completed($argv[1], $argv[2])), "\n";
