package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// atOnce is how many packets wait for their answers; each has a socket.
	atOnce = 800
	// again is when what may have been lost is sent once more.
	again = 200 * time.Millisecond
	// question asks a name server for the address of a Service; who is no name server sends it back.
	question = "\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" +
		"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01"
)

// listen takes connections and answers packets at ports of all its addresses, or of those that are named.
func listen(ports, addresses string) error {
	ended := make(chan error)
	for _, address := range strings.Split(addresses, ",") {
		for _, port := range strings.Split(ports, ",") {
			place := net.JoinHostPort(address, port)
			streams, err := net.Listen("tcp", place)
			if err != nil {
				return err
			}
			packets, err := net.ListenPacket("udp", place)
			if err != nil {
				return err
			}
			go func() { ended <- take(streams) }()
			go func() { ended <- answer(packets) }()
		}
	}
	fmt.Println("listening")
	return <-ended
}

func take(streams net.Listener) error {
	for {
		connection, err := streams.Accept()
		if err != nil {
			return err
		}
		connection.Close()
	}
}

func answer(packets net.PacketConn) error {
	buffer := make([]byte, 512)
	for {
		length, from, err := packets.ReadFrom(buffer)
		if err != nil {
			return err
		}
		packets.WriteTo(buffer[:length], from) // who asks will ask again
	}
}

// flow is a line `tcp ADDRESS:PORT` or `udp ADDRESS:PORT`, and maybe the address that it comes from.
type flow struct{ protocol, to, from string }

func parse(line string) (flow, error) {
	fields := strings.Fields(line)
	if len(fields) == 2 {
		return flow{fields[0], fields[1], ""}, nil
	}
	if len(fields) == 3 {
		return flow{fields[0], fields[1], fields[2]}, nil
	}
	return flow{}, fmt.Errorf("%q is not PROTOCOL ADDRESS:PORT [SOURCE]", line)
}

// passes says whether an answer came.
func (f flow) passes(patience time.Duration) (bool, error) {
	dialer := net.Dialer{Timeout: patience}
	if source := net.ParseIP(f.from); f.protocol == "tcp" && source != nil {
		dialer.LocalAddr = &net.TCPAddr{IP: source}
	} else if source != nil {
		dialer.LocalAddr = &net.UDPAddr{IP: source}
	}
	connection, err := dialer.Dial(f.protocol, f.to)
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.EADDRNOTAVAIL) {
		return false, err // nothing was sent, which says nothing
	}
	if err != nil {
		return false, nil
	}
	defer connection.Close()
	if f.protocol == "tcp" {
		return true, nil
	}
	buffer := make([]byte, 512)
	for end := time.Now().Add(patience); time.Now().Before(end); {
		connection.Write([]byte(question))
		connection.SetReadDeadline(time.Now().Add(again))
		if _, err := connection.Read(buffer); err == nil {
			return true, nil
		} else if !errors.Is(err, os.ErrDeadlineExceeded) {
			time.Sleep(again) // refused, maybe only until somebody listens
		}
	}
	return false, nil
}

// dialAll tries each flow that stdin names, all at once, and prints for each whether it is open or shut.
func dialAll(seconds string) error {
	patience, err := time.ParseDuration(seconds + "s")
	if err != nil {
		return err
	}
	var flows []flow
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		each, err := parse(lines.Text())
		if err != nil {
			return err
		}
		flows = append(flows, each)
	}
	found, failures := make([]bool, len(flows)), make([]error, len(flows))
	free, all := make(chan struct{}, atOnce), sync.WaitGroup{}
	for number, each := range flows {
		free <- struct{}{}
		all.Go(func() {
			found[number], failures[number] = each.passes(patience)
			<-free
		})
	}
	all.Wait()
	out := bufio.NewWriter(os.Stdout)
	for _, open := range found {
		fmt.Fprintln(out, map[bool]string{true: "open", false: "shut"}[open])
	}
	return errors.Join(append(failures, out.Flush())...)
}

// rush tries flows over and over from its first moment on, for some seconds, prints which got through, and stays.
func rush(seconds string, lines []string) error {
	length, err := time.ParseDuration(seconds + "s")
	if err != nil {
		return err
	}
	end := time.Now().Add(length)
	all := sync.WaitGroup{}
	for _, line := range lines {
		each, err := parse(line)
		if err != nil {
			return err
		}
		all.Go(func() {
			for time.Now().Before(end) {
				if open, _ := each.passes(again / 2); open {
					fmt.Printf("open %s\n", line)
					return
				}
			}
			fmt.Printf("shut %s\n", line)
		})
	}
	all.Wait()
	fmt.Println("done")
	return sleep(syscall.SIGTERM)
}
