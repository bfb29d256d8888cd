<?php
// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: php sweep.php DATABASE      what a job does every few seconds
// PHP 7.3 or later with its extensions curl and pdo_sqlite; an older one knows no JSON_THROW_ON_ERROR.
//
// The application's own row tells what is still to be posted:
//     CREATE TABLE application (id TEXT PRIMARY KEY, seek_token TEXT, completed_at TEXT, signal_status TEXT)
// signal_status is NULL until an event is posted, then "posted", or the reason why it never will be.
// Set it to NULL together with the seek-token and the time of completion: a candidate may come back with a new seek-token.

/** The result of each event, in order. Throws when the whole request has to be repeated later. */
function post_events(array $lines): array
{
    $headers = ['Content-Type: application/x-ndjson']; // each line is judged alone, even one that is not JSON
    if (getenv('SEEK_SIGNAL_API_KEY')) {
        $headers[] = 'Authorization: Bearer ' . getenv('SEEK_SIGNAL_API_KEY');
    }
    $curl = curl_init((getenv('SEEK_SIGNAL') ?: 'http://127.0.0.1:8787') . '/v1/events');
    curl_setopt_array($curl, [
        CURLOPT_POSTFIELDS => implode("\n", $lines),
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 10,
        CURLOPT_PROXY => '', // a sidecar is not reached through a proxy
    ]);
    $body = curl_exec($curl);
    if ($body === false) {
        throw new RuntimeException(curl_error($curl));
    }
    $answer = json_decode($body, true);
    if (!isset($answer['results'])) { // a problem of the service, or a page of a proxy
        throw new RuntimeException(curl_getinfo($curl, CURLINFO_RESPONSE_CODE) . ": $body");
    }
    return $answer['results'];
}

/** Posts what was completed and never posted, oldest first. */
function sweep(PDO $db, int $at_once = 100): void
{
    $waiting = $db->prepare("SELECT id, seek_token, completed_at FROM application WHERE completed_at IS NOT NULL
                             AND seek_token <> '' AND signal_status IS NULL ORDER BY completed_at LIMIT ? OFFSET ?");
    // Not if the candidate came back with another seek-token meanwhile: that one is posted next.
    $done = $db->prepare('UPDATE application SET signal_status = ? WHERE id = ? AND seek_token = ?');
    for ($left = 0; ;) { // those that stay for the next run
        $waiting->bindValue(1, $at_once, PDO::PARAM_INT);
        $waiting->bindValue(2, $left, PDO::PARAM_INT);
        $waiting->execute();
        $rows = $waiting->fetchAll(PDO::FETCH_ASSOC);
        if (!$rows) {
            return;
        }
        $lines = [];
        foreach ($rows as $n => $row) {
            $event = ['applicationId' => $row['id'], 'token' => $row['seek_token'], 'completedAt' => $row['completed_at']];
            try {
                $lines[] = json_encode($event, JSON_THROW_ON_ERROR);
            } catch (JsonException $error) { // not UTF-8: JSON cannot carry it
                $done->execute([$error->getMessage(), $row['id'], $row['seek_token']]);
                unset($rows[$n]);
            }
        }
        $results = $lines ? post_events($lines) : [];
        foreach (array_values($rows) as $n => $row) {
            if ($results[$n]['status'] < 300) {
                $done->execute(['posted', $row['id'], $row['seek_token']]);
            } elseif (!$results[$n]['retryable']) { // somebody has to look at it
                $done->execute([$results[$n]['detail'], $row['id'], $row['seek_token']]);
            } else {
                $left++;
            }
        }
    }
}

$db = new PDO('sqlite:' . $argv[1]);
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
sweep($db);
