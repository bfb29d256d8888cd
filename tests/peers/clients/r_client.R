# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
# usage: Rscript r_client.R httr version|once|send|lines URL [COUNT]
# `lines` posts each line of the standard input, see python_clients.py.
suppressMessages(library(httr))
arguments <- commandArgs(trailingOnly = TRUE)
mode <- arguments[2]
url <- arguments[3]
direct <- use_proxy("")

post <- function(body, seconds = NULL, query = "") {
  settings <- if (is.null(seconds)) list(direct) else list(direct, timeout(seconds))
  answer <- do.call(POST, c(list(paste0(url, query), body = body, content_type_json(), encode = "raw"), settings))
  list(status = status_code(answer), text = content(answer, "text", encoding = "UTF-8"))
}

if (mode == "version") {
  cat("httr", as.character(packageVersion("httr")), "of R", as.character(getRversion()), "\n")
} else if (mode == "once") {
  tryCatch(for (n in 1:2) post("{}"), error = function(error) cat(conditionMessage(error), "\n"))
} else if (mode == "lines") {
  input <- file("stdin", "r")
  while (length(line <- readLines(input, 1)) > 0) {
    parts <- strsplit(line, "\t", fixed = TRUE)[[1]]
    took <- system.time(result <- tryCatch(post(parts[2], 60, parts[1])$status, error = function(error) "cut"), gcFirst = FALSE)[["elapsed"]]
    cat(result, as.integer(took * 1e6), "\n")
  }
} else {
  for (n in 0:(as.integer(arguments[4]) - 1)) {
    repeat {
      answer <- tryCatch(post(sprintf('{"applicationId":"httr-%d","token":"token-httr-%d"}', n, n), 10), error = function(error) NULL)
      if (!is.null(answer) && answer$status < 400) break
      if (!is.null(answer) && !grepl('"retryable":true', answer$text, fixed = TRUE)) stop(answer$text)
      Sys.sleep(0.25)
    }
    Sys.sleep(0.02)
  }
}
