"""Project files turned into checked specs and ready SQL; nothing here touches the network."""
