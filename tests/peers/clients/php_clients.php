<?php
// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: php php_clients.php curl|streams|guzzle version|once|send|lines URL [COUNT]
// `lines` posts each line of the standard input, see python_clients.py.
[, $library, $mode] = $argv;
$url = $argv[3] ?? '';
$is_default = $mode === 'once';
$timeout = $mode === 'lines' ? 60 : 10;
if ($library === 'guzzle') {
    require 'GuzzleHttp/autoload.php';
}

// Each gives [status, body], or what went wrong as a text.
function with_curl(string $to, string $body)
{
    global $is_default, $timeout;
    static $curl = null;
    $curl ??= curl_init();
    curl_setopt_array($curl, [CURLOPT_URL => $to, CURLOPT_HTTPHEADER => ['Content-Type: application/json'], CURLOPT_RETURNTRANSFER => true,
        CURLOPT_PROXY => '', CURLOPT_POSTFIELDS => $body] + ($is_default ? [] : [CURLOPT_TIMEOUT => $timeout]));
    $answer = curl_exec($curl);
    return $answer === false ? curl_error($curl) : [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $answer];
}

function with_streams(string $to, string $body)
{
    global $is_default, $timeout;
    $context = stream_context_create(['http' => ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => $body]
        + ($is_default ? [] : ['timeout' => $timeout, 'ignore_errors' => true])]);
    $answer = @file_get_contents($to, false, $context);
    if ($answer === false) {
        return preg_replace('/^.*: /', '', error_get_last()['message']);
    }
    return [(int) explode(' ', $http_response_header[0])[1], $answer];
}

function with_guzzle(string $to, string $body)
{
    global $is_default, $timeout;
    static $http = null;
    $http ??= new GuzzleHttp\Client($is_default ? [] : ['timeout' => $timeout, 'proxy' => '', 'http_errors' => false]);
    try {
        $answer = $http->post($to, ['body' => $body, 'headers' => ['Content-Type' => 'application/json']]);
        return [$answer->getStatusCode(), (string) $answer->getBody()];
    } catch (GuzzleHttp\Exception\TransferException $error) {
        return (new ReflectionClass($error))->getShortName();
    }
}

$post = "with_$library";
if ($mode === 'version') {
    echo ['curl' => 'PHP ' . PHP_VERSION . ' with libcurl ' . curl_version()['version'], 'streams' => 'PHP ' . PHP_VERSION,
        'guzzle' => 'Guzzle ' . ($library === 'guzzle' ? GuzzleHttp\ClientInterface::MAJOR_VERSION : '')][$library], "\n";
} elseif ($mode === 'once') {
    for ($n = 0; $n < 2; $n++) {
        $answer = $post($url, '{}');
        if (is_string($answer)) {
            echo $answer, "\n";
            break;
        }
    }
} elseif ($mode === 'lines') {
    while (($line = fgets(STDIN)) !== false) {
        [$query, $body] = explode("\t", rtrim($line, "\n"), 2);
        $began = hrtime(true);
        $answer = $post($url . $query, $body);
        echo is_string($answer) ? strtr($answer, ' ', '_') : $answer[0], ' ', intdiv(hrtime(true) - $began, 1000), "\n";
    }
} else {
    for ($n = 0; $n < (int) $argv[4]; $n++) {
        for (;;) {
            $answer = $post($url, json_encode(['applicationId' => "$library-$n", 'token' => "token-$library-$n"]));
            if (is_array($answer) && $answer[0] < 400) {
                break;
            }
            if (is_array($answer) && !json_decode($answer[1], true)['retryable']) {
                throw new RuntimeException($answer[1]);
            }
            usleep(250000);
        }
        usleep(20000);
    }
}
