//! A name server with records chosen by the test.

use std::{net::SocketAddr, str::FromStr as _, sync::Arc};

use hickory_resolver::proto::{
    op::{Message, OpCode},
    rr::{
        Name, RData, Record,
        rdata::{NAPTR, SRV},
    },
};
use tokio::net::UdpSocket;

pub struct NameServer {
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

pub fn srv(name: &str, priority: u16, port: u16) -> Record {
    let target = Name::from_str("localhost.").unwrap();
    let data = RData::SRV(SRV::new(priority, 1, port, target));
    Record::from_rdata(Name::from_str(name).unwrap(), 60, data)
}

pub fn naptr(name: &str, order: u16, services: &str, replacement: &str) -> Record {
    let data = RData::NAPTR(NAPTR::new(
        order,
        50,
        Box::from(&b"s"[..]),
        Box::from(services.as_bytes()),
        Box::from(&b""[..]),
        Name::from_str(replacement).unwrap(),
    ));
    Record::from_rdata(Name::from_str(name).unwrap(), 60, data)
}

impl NameServer {
    pub async fn start(records: Vec<Record>) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = socket.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 4_096];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let asked = Message::from_vec(&buffer[..length]).unwrap();
                let mut answer = Message::response(asked.metadata.id, OpCode::Query);
                for query in &asked.queries {
                    let fits = |record: &&Record| {
                        record.name == *query.name() && record.record_type() == query.query_type()
                    };
                    answer.add_answers(records.iter().filter(fits).cloned());
                    answer.add_query(query.clone());
                }
                let bytes = answer.to_vec().unwrap();
                socket.send_to(&bytes, from).await.unwrap();
            }
        });
        Self { address, task }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
