// Command tenant is what the tests run in a tenant's containers: each subcommand does one thing that a workload does.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const patience = 3 * time.Second

const usage = `usage: tenant COMMAND
  sleep           say hello, then run until SIGTERM
  ignore-term     run until SIGKILL
  serve PORT TEXT answer each HTTP request with TEXT
  env             print the environment
  processes       print the command line of each process that is to be seen
  list FOLDER     print the names in a folder
  write FILE TEXT write a file
  dial HOST:PORT  open a TCP connection
  get URL         print what is at URL
  resolve NAME    print the addresses of NAME
  listen PORTS [ADDRESSES]
                  take connections and answer packets at ports, parted by commas, of all addresses or of these
  dial-all SECONDS
                  try each FLOW of stdin, a line, for so long, and print whether it is open or shut
  rush SECONDS FLOW...
                  try all flows over and over from the first moment on, and print which were open
A FLOW is "tcp ADDRESS:PORT" or "udp ADDRESS:PORT", and maybe the address that it comes from.`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 2 && args[0] == "rush" {
		return rush(args[1], args[2:])
	}
	command := strings.Join(args, " ")
	if len(args) > 0 {
		command = fmt.Sprintf("%s/%d", args[0], len(args)-1)
	}
	switch command {
	case "sleep/0":
		return sleep(syscall.SIGTERM)
	case "ignore-term/0":
		signal.Ignore(syscall.SIGTERM)
		return sleep()
	case "serve/2":
		return serve(args[1], args[2])
	case "env/0":
		fmt.Println(strings.Join(os.Environ(), "\n"))
		return nil
	case "processes/0":
		return processes()
	case "list/1":
		return list(args[1])
	case "write/2":
		return os.WriteFile(args[1], []byte(args[2]), 0o600)
	case "dial/1":
		return dial(args[1])
	case "get/1":
		return get(args[1])
	case "resolve/1":
		return resolve(args[1])
	case "listen/1":
		return listen(args[1], "")
	case "listen/2":
		return listen(args[1], args[2])
	case "dial-all/1":
		return dialAll(args[1])
	default:
		return fmt.Errorf("%s", usage)
	}
}

// sleep waits for one of the signals: as process 1 of its container it is not ended by any that it does not ask for.
func sleep(until ...os.Signal) error {
	ended := make(chan os.Signal, 1)
	if len(until) > 0 {
		signal.Notify(ended, until...)
	}
	fmt.Println("hello")
	for {
		select {
		case <-ended:
			return nil
		case <-time.After(time.Hour):
		}
	}
}

func serve(port, text string) error {
	return http.ListenAndServe(":"+port, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, text)
	}))
}

func processes() error {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Println(strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " ")))
	}
	return nil
}

func list(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		fmt.Println(entry.Name())
	}
	return nil
}

func dial(address string) error {
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	fmt.Println("connected")
	return connection.Close()
}

func get(url string) error {
	client := http.Client{Timeout: patience}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

func resolve(name string) error {
	addresses, err := net.LookupHost(name)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(addresses, "\n"))
	return nil
}
