// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: mono mono_client.exe HttpClient version|once|send|lines URL [COUNT]
// `lines` posts each line of the standard input, see python_clients.py.
using System;
using System.Diagnostics;
using System.Net.Http;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

static class MonoClient
{
    static readonly HttpClient http = new HttpClient(new HttpClientHandler { UseProxy = false });

    static Tuple<int, string> Post(string url, string body)
    {
        var content = new StringContent(body, Encoding.UTF8, "application/json");
        using (var answer = http.PostAsync(url, content).GetAwaiter().GetResult())
            return Tuple.Create((int)answer.StatusCode, answer.Content.ReadAsStringAsync().GetAwaiter().GetResult());
    }

    static string NameOf(Exception error)
    {
        return (error.InnerException ?? error).GetType().Name;
    }

    static void Send(string url, int count)
    {
        http.Timeout = TimeSpan.FromSeconds(10);
        for (var n = 0; n < count; n++) {
            for (;;) {
                try {
                    var answer = Post(url, "{\"applicationId\":\"mono-" + n + "\",\"token\":\"token-mono-" + n + "\"}");
                    if (answer.Item1 < 400)
                        break;
                    if (!answer.Item2.Contains("\"retryable\":true"))
                        throw new InvalidOperationException(answer.Item2);
                } catch (HttpRequestException) { // again
                } catch (TaskCanceledException) { // timed out: again
                }
                Thread.Sleep(250);
            }
            Thread.Sleep(20);
        }
    }

    static void Lines(string url)
    {
        for (string line; (line = Console.ReadLine()) != null;) {
            var parts = line.Split(new[] { '\t' }, 2);
            var watch = Stopwatch.StartNew();
            string result;
            try {
                result = Post(url + parts[0], parts[1]).Item1.ToString();
            } catch (HttpRequestException error) {
                result = NameOf(error);
            }
            Console.WriteLine(result + " " + watch.ElapsedTicks * 1000000 / Stopwatch.Frequency);
        }
    }

    static void Main(string[] arguments)
    {
        switch (arguments[1]) {
        case "version":
            Console.WriteLine("HttpClient of Mono " + ((Func<string>)Delegate.CreateDelegate(typeof(Func<string>),
                Type.GetType("Mono.Runtime").GetMethod("GetDisplayName", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)))().Split(' ')[0]);
            break;
        case "once":
            try {
                for (var n = 0; n < 2; n++)
                    Post(arguments[2], "{}");
            } catch (HttpRequestException error) {
                Console.WriteLine(NameOf(error));
            }
            break;
        case "lines":
            Lines(arguments[2]);
            break;
        default:
            Send(arguments[2], int.Parse(arguments[3]));
            break;
        }
    }
}
