// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: java JavaClient.java HttpClient version|once|send|lines URL [COUNT]
// `lines` posts each line of the standard input, see python_clients.py: as the client does by itself, so that each first request asks for h2c.
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

class JavaClient {
    static HttpRequest.Builder post(String url, String body) {
        return HttpRequest.newBuilder(URI.create(url)).header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[1].equals("version")) {
            System.out.println("HttpClient of Java " + System.getProperty("java.version"));
            return;
        }
        if (arguments[1].equals("lines")) {
            var http = HttpClient.newHttpClient();
            var input = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
            for (String line; (line = input.readLine()) != null;) {
                var parts = line.split("\t", 2);
                var began = System.nanoTime();
                Object result;
                try {
                    result = http.send(post(arguments[2] + parts[0], parts[1]).build(), BodyHandlers.ofString()).statusCode();
                } catch (IOException error) {
                    result = error.getClass().getSimpleName();
                }
                System.out.println(result + " " + (System.nanoTime() - began) / 1000);
            }
            return;
        }
        var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        var url = arguments[2];
        if (arguments[1].equals("once")) {
            try {
                for (int n = 0; n < 2; n++) http.send(post(url, "{}").build(), BodyHandlers.ofString());
            } catch (IOException error) {
                System.out.println(error.getClass().getSimpleName() + ": " + error.getMessage());
            }
            return;
        }
        for (int n = 0; n < Integer.parseInt(arguments[3]); n++) {
            var body = "{\"applicationId\":\"java-" + n + "\",\"token\":\"token-java-" + n + "\"}";
            for (;;) {
                try {
                    var answer = http.send(post(url, body).timeout(Duration.ofSeconds(10)).build(), BodyHandlers.ofString());
                    if (answer.statusCode() < 400) break;
                    if (!answer.body().contains("\"retryable\":true")) throw new IllegalStateException(answer.body());
                } catch (IOException refusedResetOrTimedOut) { // again
                }
                Thread.sleep(250);
            }
            Thread.sleep(20);
        }
    }
}
