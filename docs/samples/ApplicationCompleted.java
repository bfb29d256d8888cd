// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: java ApplicationCompleted.java APPLICATION_ID SEEK_TOKEN
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

class ApplicationCompleted {
    /** Call it after the application is committed. Posting the same pair again does no harm. Both values come from
     *  your database and SEEK's link; if they may hold quotes, build the JSON with your JSON library. */
    static String send(String id, String token, int tries) throws IOException, InterruptedException {
        var base = System.getenv().getOrDefault("SEEK_SIGNAL", "http://127.0.0.1:8787");
        var request = HttpRequest.newBuilder(URI.create(base + "/v1/events"))
            .timeout(Duration.ofSeconds(10)).header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"applicationId\":\"" + id + "\",\"token\":\"" + token + "\"}"))
            .build();
        var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).version(HttpClient.Version.HTTP_1_1).build();
        for (int n = 1; ; n++) {
            long waitMs = 125L << n;
            try {
                var answer = client.send(request, BodyHandlers.ofString());
                if (answer.statusCode() < 300) return answer.body();
                if (!answer.body().contains("\"retryable\":true") || n == tries) throw new IllegalStateException(answer.body());
                waitMs = Math.max(waitMs, 1000 * answer.headers().firstValueAsLong("Retry-After").orElse(0));
            } catch (IOException refusedResetOrTimedOut) {
                if (n == tries) throw refusedResetOrTimedOut;
            }
            Thread.sleep(waitMs);
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println(send(arguments[0], arguments[1], 8));
    }
}
