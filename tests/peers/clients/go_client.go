// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT

// usage: go_client net/http version|once|send|lines URL [COUNT]
// `lines` posts each line of the standard input, see python_clients.py.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func post(client *http.Client, to, body string) (int, []byte, error) {
	answer, err := client.Post(to, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, text, err
}

func send(client *http.Client, to string, count int) {
	for n := 0; n < count; n++ {
		body := fmt.Sprintf(`{"applicationId":"go-%d","token":"token-go-%d"}`, n, n)
		for {
			status, text, err := post(client, to, body)
			if err == nil && status < 400 {
				break
			}
			var problem struct{ Retryable bool }
			if err == nil && (json.Unmarshal(text, &problem) != nil || !problem.Retryable) {
				panic(string(text))
			}
			time.Sleep(250 * time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func reason(err error) string {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return strings.ReplaceAll(err.Error(), " ", "_")
}

func main() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	client := &http.Client{Transport: transport}
	switch os.Args[2] {
	case "version":
		fmt.Println("net/http of", runtime.Version())
	case "once":
		for n := 0; n < 2; n++ {
			if _, _, err := post(client, os.Args[3], "{}"); err != nil {
				fmt.Println(reason(err))
				return
			}
		}
	case "lines":
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			query, body, _ := strings.Cut(lines.Text(), "\t")
			began := time.Now()
			result, _, err := post(client, os.Args[3]+query, body)
			took := time.Since(began).Microseconds()
			if err != nil {
				fmt.Println(reason(err), took)
			} else {
				fmt.Println(result, took)
			}
		}
	default:
		client.Timeout = 10 * time.Second
		count, _ := strconv.Atoi(os.Args[4])
		send(client, os.Args[3], count)
	}
}
