// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: java ApplicationCompleted.java APPLICATION_ID SEEK_TOKEN      with SEEK_SIGNAL_API_KEY where the service asks for one
// Java 11 or later; this command needs the compiler, so a JDK (Debian: default-jdk-headless).
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
            .POST(HttpRequest.BodyPublishers.ofString("{\"applicationId\":\"" + id + "\",\"token\":\"" + token + "\"}"));
        var key = System.getenv("SEEK_SIGNAL_API_KEY");
        if (key != null) request.header("Authorization", "Bearer " + key);
        var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).version(HttpClient.Version.HTTP_1_1).build();
        for (int n = 1; ; n++) {
            long waitMs = 125L << n;
            try {
                var answer = client.send(request.build(), BodyHandlers.ofString());
                int status = answer.statusCode();
                boolean isTaken = status < 300;
                if (isTaken && answer.body().contains("\"eventId\":")) return answer.body(); // a page of a proxy has none
                if (answer.body().contains("\"code\":\"token_missing\"")) return null; // not from SEEK: there is nothing to send
                boolean isRetryable = isTaken || status == 408 || status == 429 || status >= 500;
                if (!isRetryable || n == tries) throw new IllegalStateException(status + ": " + answer.body());
                waitMs = Math.max(waitMs, 1000 * answer.headers().firstValue("Retry-After").filter(s -> s.matches("\\d{1,9}")).map(Long::valueOf).orElse(0L));
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
